/**
 * The types that are made in a database, such as enums: which of them are arrays, and of what. A
 * result tells no more of them than their OIDs, so the catalog is asked, once for each type.
 *
 * @module
 */

import type {
  CallOptions,
  Column,
  RowBatch,
  Session,
} from "../driver/driver.ts";
import { DatabaseError, type ErrorKind } from "../errors.ts";
import { arrayElement, arrayElementStatement } from "./catalog.ts";
import { ARRAY_OIDS, FIRST_USER_OID } from "./type_oids.ts";
import type { ResultTypes, ValueOptions } from "./values.ts";

/** A catalog that may not be read, or isn't there, leaves arrays as the server's text. */
const LEAVES_TEXT: readonly ErrorKind[] = ["permission", "undefined"];

/** A type that the stream's own transaction has made may lock others out of the catalog. */
const ASIDE_TIMEOUT_MS = 2_000;

/** How a server writes an array. */
const ARRAY = /^(?:\[-?\d+:-?\d+\])*=?\{/;

/**
 * Whether a statement may have made types, which no other session sees before they are committed. A
 * table has one, too, that of its rows.
 *
 * @param command The command tag, of the last statement in the text.
 */
export function makesTypes(text: string, command: string): boolean {
  if (/^(?:CREATE|ALTER|DO|CALL)\b/.test(command)) return true;
  // CREATE TABLE … AS has the tag of its query.
  if (command === "SELECT" && /\b(?:create|into)\b/i.test(text)) return true;
  return text.includes(";") && /\b(?:create|do|call)\b/i.test(text);
}

/** What is known of the types that are made in one database. */
export class UserTypes implements ResultTypes {
  readonly #known = new Set<number>();
  /** Whether the catalog has refused to tell; then queries and streams alike leave arrays as text. */
  #isHidden = false;
  #values: ValueOptions;

  /**
   * Knows nothing yet.
   *
   * @param values How values are decoded, whatever their types.
   */
  constructor(values: ValueOptions) {
    this.#values = values;
  }

  /** How values are decoded; another object whenever another array type is known. */
  get values(): ValueOptions {
    return this.#values;
  }

  /** Says whether a result has types that weren't asked for yet. */
  lacks(columns: readonly Column[]): boolean {
    for (const { typeOid } of columns) {
      if (typeOid < FIRST_USER_OID) continue;
      if (!ARRAY_OIDS.has(typeOid) && !this.#known.has(typeOid)) return true;
    }
    return false;
  }

  /**
   * Asks for the types of a result.
   *
   * @param columns The result's columns.
   * @param session A session that is free: the result's own, where no one else may see its types.
   * @param limits The limits of each question.
   */
  async learn(
    columns: readonly Column[],
    session: Session,
    limits: CallOptions = {},
  ): Promise<void> {
    await this.#unlessHidden(async () => {
      for (const column of columns) {
        if (!this.lacks([column])) continue;
        await this.#ask(session, { ...limits, oid: column.typeOid });
      }
    });
  }

  /**
   * Asks for all types, where a transaction has made some and is going to stream: of a result's types
   * its own session can't be asked meanwhile, and no other one sees them.
   *
   * @param session The transaction's session, which is free.
   * @param limits The limits of the question.
   */
  async learnAll(session: Session, limits: CallOptions): Promise<void> {
    await this.#unlessHidden(() => this.#ask(session, limits));
  }

  /**
   * Yields the batches of a stream, once their types are known. The stream's session is busy
   * meanwhile, so they are asked for on another one.
   *
   * @param batches The stream.
   * @param open Opens a session; it is closed here.
   * @throws {DatabaseError} Where that fails and there is an array: a query would give another value.
   */
  async *follow(
    batches: AsyncIterable<RowBatch>,
    open: () => Promise<Session>,
  ): AsyncGenerator<RowBatch, void> {
    let asked: { cause?: unknown } | undefined;
    for await (const batch of batches) {
      if (this.lacks(batch.columns)) {
        asked ??= { cause: await this.#learnAside(batch.columns, open) };
        // A type that isn't there for others was made by a function that the stream's transaction has called.
        const isFailed = asked.cause !== undefined && !this.#isHidden;
        if (isFailed) this.#checkUnknown(batch, asked);
      }
      yield batch;
    }
  }

  /** Gives the reason where that fails. */
  async #learnAside(
    columns: readonly Column[],
    open: () => Promise<Session>,
  ): Promise<unknown> {
    let session: Session | undefined;
    try {
      session = await open();
      await this.learn(columns, session, { timeoutMs: ASIDE_TIMEOUT_MS });
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      return error;
    } finally {
      await session?.close();
    }
  }

  #checkUnknown({ columns, rows }: RowBatch, options: ErrorOptions): void {
    columns.forEach((column, index) => {
      if (!this.lacks([column])) return;
      if (!rows.some((row) => ARRAY.test(row[index] ?? ""))) return;
      throw new DatabaseError({
        code: "0A000",
        message:
          `Cannot stream the column "${column.name}": its type couldn't be looked up on another session; read such a column by a query first, and in the transaction that has made the type`,
      }, options);
    });
  }

  async #unlessHidden(ask: () => Promise<void>): Promise<void> {
    try {
      await ask();
    } catch (error) {
      const isHidden = error instanceof DatabaseError &&
        LEAVES_TEXT.includes(error.kind);
      if (!isHidden) throw error;
      this.#isHidden = true;
    }
  }

  async #ask(
    session: Session,
    { oid, signal, timeoutMs }: CallOptions & { oid?: number },
  ): Promise<void> {
    const { text } = arrayElementStatement(oid);
    const { rows } = await session.query(text, [], { signal, timeoutMs });
    // There is no row of a type that another session has made and not committed.
    const { arrayOids = [] } = this.#values;
    const arrays = new Map(arrayOids);
    for (const row of rows) {
      const element = arrayElement(row);
      this.#known.add(Number(row[0]));
      if (element !== undefined) arrays.set(Number(row[0]), element);
    }
    if (arrays.size === (this.#values.arrayOids?.size ?? 0)) return;
    this.#values = { ...this.#values, arrayOids: arrays };
  }
}
