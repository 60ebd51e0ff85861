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

/** What is known of the types that are made in one database. */
export class UserTypes implements ResultTypes {
  readonly #known = new Set<number>();
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
    try {
      for (const column of columns) {
        if (this.lacks([column])) await this.#ask(column, session, limits);
      }
    } catch (error) {
      const leavesText = error instanceof DatabaseError &&
        LEAVES_TEXT.includes(error.kind);
      if (!leavesText) throw error;
    }
  }

  /**
   * Yields the batches of a stream, once their types are known. The stream's session is busy
   * meanwhile, so they are asked for on another one; where that fails, arrays stay text.
   *
   * @param batches The stream.
   * @param open Opens a session; it is closed here.
   */
  async *follow(
    batches: AsyncIterable<RowBatch>,
    open: () => Promise<Session>,
  ): AsyncGenerator<RowBatch, void> {
    let asked = false;
    for await (const batch of batches) {
      if (!asked && this.lacks(batch.columns)) {
        await this.#learnAside(batch.columns, open);
      }
      asked = true;
      yield batch;
    }
  }

  async #learnAside(
    columns: readonly Column[],
    open: () => Promise<Session>,
  ): Promise<void> {
    let session: Session | undefined;
    try {
      session = await open();
      await this.learn(columns, session, { timeoutMs: ASIDE_TIMEOUT_MS });
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
    } finally {
      await session?.close();
    }
  }

  async #ask(
    { typeOid }: Column,
    session: Session,
    { signal, timeoutMs }: CallOptions,
  ): Promise<void> {
    const { text } = arrayElementStatement(typeOid);
    const limits = { signal, timeoutMs };
    const { rows } = await session.query(text, [], limits);
    // Of a type that isn't committed other sessions know nothing.
    if (rows.length === 0) return;
    this.#known.add(typeOid);
    const element = arrayElement(rows);
    if (element === undefined) return;
    const { arrayOids = [] } = this.#values;
    this.#values = {
      ...this.#values,
      arrayOids: new Map([...arrayOids, [typeOid, element]]),
    };
  }
}
