/**
 * What a caller's statements run on inside a transaction.
 *
 * @module
 */

import type {
  CallOptions,
  QueryResult,
  RowBatch,
  Session,
  SessionQueryOptions,
} from "../driver/driver.ts";
import { BatchQueries } from "./batches.ts";
import { limitedBy } from "./limits.ts";
import type { Observer } from "./observer.ts";
import type { StreamQueryOptions } from "./queries.ts";
import { optionsFor } from "./row_reader.ts";
import { Table } from "./table.ts";
import { endingCommand, mayHaveEnded } from "./transaction_end.ts";
import type { Turns } from "./turns.ts";
import { makesTypes, type UserTypes } from "./user_types.ts";
import type { ResultTypes } from "./values.ts";

/** What a {@linkcode Transaction} has from its database. */
export interface TransactionContext {
  /** How values are decoded. */
  readonly types: UserTypes;
  /** Runs and reports statements. */
  readonly observer: Observer;
  /** Opens a session beside the transaction's. */
  readonly openSession: () => Promise<Session>;
  /** The limits of statements that have none of their own. */
  readonly limits: CallOptions;
}

/**
 * Queries inside a transaction. They run one after another, also where they are started together;
 * the waiting counts towards the limits of a call then. A stream has to be read to its end, or left,
 * before the next one.
 *
 * @example
 * ```ts ignore
 * await db.transaction(async (tx) => {
 *   const from = await tx.selectOne("accounts", { where: { id: 1 }, forUpdate: true });
 *   if (from === undefined) throw new Error("There is no account 1");
 *   await tx.execute`UPDATE accounts SET balance = balance - ${10} WHERE id = 1`;
 *   await tx.execute`UPDATE accounts SET balance = balance + ${10} WHERE id = 2`;
 * });
 * ```
 */
export class Transaction extends BatchQueries {
  /** What a chunk waits for another would count as its own time. */
  protected override readonly batchConcurrency: number = 1;
  readonly #turns: Turns;
  readonly #context: TransactionContext;
  /** Whether it may have made types that weren't asked for yet. */
  #hasMadeTypes = false;

  /**
   * Is made by {@linkcode Database.transaction}.
   *
   * @param turns The turns of the attempt.
   * @param context The database's part.
   */
  constructor(turns: Turns, context: TransactionContext) {
    super();
    this.#turns = turns;
    this.#context = context;
  }

  /** The types of the database, by which values are decoded. */
  protected override get types(): ResultTypes {
    return this.#context.types;
  }

  /** A table by name, with methods that know its key, inside the transaction. */
  table<T = Record<string, unknown>>(
    name: string,
    options: { key?: string } = {},
  ): Table<T> {
    return new Table<T>(this, name, options);
  }

  /** Runs a statement in the transaction, after those before it. */
  protected override run(
    text: string,
    args: readonly unknown[],
    options: SessionQueryOptions,
  ): Promise<QueryResult> {
    return this.#context.observer.run(
      { text, args, options: limitedBy(this.#context.limits, options) },
      (encoded, limits) =>
        this.#turns.use(async (session, left) => {
          const options = optionsFor(session, { ...limits, ...left });
          const result = await this.#query(session, text, encoded, options);
          this.#hasMadeTypes ||= makesTypes(text, result.command);
          const { columns } = result;
          const { types } = this.#context;
          if (types.lacks(columns)) {
            await types.learn(columns, session, left);
          }
          return result;
        }, { ...limits, text }),
    );
  }

  /** Runs a statement in the transaction and yields its rows in batches. */
  protected override runStream(
    text: string,
    args: readonly unknown[],
    options: StreamQueryOptions,
  ): AsyncIterable<RowBatch> {
    const { observer, types, openSession, limits } = this.#context;
    return observer.stream(
      { text, args, options: limitedBy(limits, options) },
      (encoded, limits) =>
        this.#turns.useStream((session, left) => {
          const options = { ...limits, ...left };
          const batches = this.#streamOn(session, text, encoded, options);
          return types.follow(batches, openSession);
        }, { ...limits, text }),
    );
  }

  async #query(
    session: Session,
    ...call: [string, (string | null)[], SessionQueryOptions]
  ): Promise<QueryResult> {
    const [text] = call;
    try {
      const result = await session.query(...call);
      const { command } = result;
      const isOver = session.transactionStatus === "idle";
      if (mayHaveEnded(text, { command, isOver })) this.#noteEnd(text);
      return result;
    } catch (error) {
      // A COMMIT before the failure may have taken effect.
      if (session.broken || session.transactionStatus === "idle") {
        this.#noteEnd(text);
      }
      throw error;
    }
  }

  #noteEnd(text: string): void {
    this.#turns.endedBy ??= endingCommand(text);
  }

  async *#streamOn(
    session: Session,
    ...call: [string, (string | null)[], StreamQueryOptions]
  ): AsyncGenerator<RowBatch, void> {
    if (this.#hasMadeTypes) {
      await this.#context.types.learnAll(session, call[2]);
      this.#hasMadeTypes = false;
    }
    try {
      yield* session.stream(...call);
    } finally {
      this.#noteEnd(call[0]);
    }
  }
}
