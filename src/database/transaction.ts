/**
 * Transactions: {@linkcode SessionTransaction} gives the retry loop's verbs their meaning on a session
 * of the pool, and {@linkcode Transaction} is what a caller's statements run on.
 *
 * @module
 */

import type { QueryResult, RowBatch, Session } from "../driver/driver.ts";
import {
  AmbiguousCommitError,
  DatabaseError,
  type ErrorKind,
} from "../errors.ts";
import { systemTime } from "./crud.ts";
import type { Loan } from "./pool.ts";
import {
  Queries,
  type QueryOptions,
  type StreamQueryOptions,
} from "./queries.ts";
import { isRetryable, type Retryable } from "./retry.ts";
import { Table } from "./table.ts";
import { encodeArguments, type ValueOptions } from "./values.ts";

/** How a transaction runs. */
export interface TransactionOptions {
  /** The isolation level. Default: `"serializable"`. */
  isolation?: "serializable" | "repeatable read" | "read committed";
  /** Whether writes are refused. */
  readOnly?: boolean;
  /** The priority among conflicting transactions (CockroachDB). */
  priority?: "low" | "normal" | "high";
  /** Reads the data as of this time: `"-10s"`, a timestamp, or `"follower_read_timestamp()"` (CockroachDB). */
  asOfSystemTime?: string;
  /** How often the callback is run again at most. Default: 50. */
  maxRetries?: number;
  /** Cancels the statement under way, and the transaction. */
  signal?: AbortSignal;
  /** A name, new for each transaction, by which the outcome of a lost COMMIT can be looked up. */
  token?: string;
}

/** What a transaction needs of the database beside a session. */
export interface TransactionHost {
  /** Borrows a session. */
  acquire(): Promise<Loan>;
  /** Whether the token's row exists, asked on another session. */
  isCommitted(token: string): Promise<boolean>;
}

/** The table that holds the tokens of transactions that committed. */
export const TOKEN_TABLE = "_crdb_tokens";

/** A transaction on a session of the pool, as the retry loop drives it. */
export class SessionTransaction<T> implements Retryable<T> {
  readonly #host: TransactionHost;
  readonly #work: () => Promise<T>;
  readonly #options: TransactionOptions;
  #loan: Loan | undefined;
  #tail: Promise<void> = Promise.resolve();
  #streaming = false;
  #failure: unknown;
  #committed: boolean | undefined;

  /** Makes a transaction; nothing is sent yet. */
  constructor(
    host: TransactionHost,
    work: () => Promise<T>,
    options: TransactionOptions = {},
  ) {
    this.#host = host;
    this.#work = work;
    this.#options = options;
  }

  /** Borrows a session and sends BEGIN. */
  async begin(): Promise<void> {
    const { signal, token } = this.#options;
    this.#failure = undefined;
    this.#committed = undefined;
    this.#loan = await this.#host.acquire();
    await this.use((session) =>
      session.query(beginStatement(this.#options), [], { signal })
    );
    if (token !== undefined) {
      const insert = `INSERT INTO ${TOKEN_TABLE} (token) VALUES ($1)`;
      await this.use((session) => session.query(insert, [token], { signal }));
    }
  }

  /** Runs the caller's work. */
  body(): Promise<T> {
    return this.#work();
  }

  /** Sends COMMIT, and where its outcome is lost, looks for the token. */
  async commit(): Promise<void> {
    await this.#tail;
    this.#options.signal?.throwIfAborted();
    let answer: QueryResult;
    try {
      answer = await this.#loan!.session.query("COMMIT");
    } catch (error) {
      if (!isAmbiguous(error)) throw error;
      return await this.#resolve(error);
    }
    // A failed transaction answers COMMIT with ROLLBACK and no error.
    if (answer.command === "ROLLBACK") {
      throw this.#failure ?? new DatabaseError({
        code: "25P02",
        message:
          "Cannot commit: the server rolled the transaction back; let its errors through",
      });
    }
    await this.#end();
  }

  /** Gives the session back; the pool rolls back whatever comes home in a transaction. */
  async rollback(): Promise<void> {
    await this.#tail;
    await this.#end();
  }

  /** Whether the failed attempt may be made again. */
  mayRetry(error: unknown): boolean {
    if (this.#options.signal?.aborted) return false;
    return this.#committed === false || isRetryable(error) ||
      isRetryable(this.#failure);
  }

  /** Runs `fn` on the session, once the calls before it are done. */
  async use<R>(fn: (session: Session) => Promise<R>): Promise<R> {
    const { session, end } = await this.#turn();
    try {
      return await fn(session);
    } catch (error) {
      throw this.#note(error);
    } finally {
      end();
    }
  }

  /** Yields what `fn` yields on the session; no other call may run meanwhile. */
  async *useStream<R>(
    fn: (session: Session) => AsyncIterable<R>,
  ): AsyncGenerator<R, void> {
    const { session, end } = await this.#turn();
    this.#streaming = true;
    try {
      yield* fn(session);
    } catch (error) {
      throw this.#note(error);
    } finally {
      this.#streaming = false;
      end();
    }
  }

  async #turn(): Promise<{ session: Session; end: () => void }> {
    if (this.#streaming) {
      throw new Error(
        "Cannot run a statement while a stream of the same transaction is read; end its loop first",
      );
    }
    const before = this.#tail;
    const { promise, resolve: end } = Promise.withResolvers<void>();
    this.#tail = before.then(() => promise);
    await before;
    if (this.#loan) return { session: this.#loan.session, end };
    end();
    throw new Error(
      "Cannot use the transaction: it has ended; await every call inside its callback",
    );
  }

  #note(error: unknown): unknown {
    if (this.#failure === undefined || isRetryable(error)) {
      this.#failure = error;
    }
    return error;
  }

  async #end(): Promise<void> {
    const loan = this.#loan;
    this.#loan = undefined;
    await loan?.release();
  }

  async #resolve(lost: unknown): Promise<void> {
    const { token } = this.#options;
    await this.#end();
    let cause = lost;
    if (token !== undefined) {
      try {
        this.#committed = await this.#host.isCommitted(token);
      } catch (error) {
        cause = error;
      }
    }
    if (this.#committed) return;
    if (this.#committed === false) throw lost;
    throw new AmbiguousCommitError(
      "Cannot tell whether the transaction committed: the connection was lost during COMMIT; " +
        "look for its effects before running it again, or give transaction() a token",
      { cause },
    );
  }
}

/** Runs and reports a statement, once its arguments are in text. */
export type Observe = (
  text: string,
  args: readonly unknown[],
  options: QueryOptions,
  run: (
    encoded: (string | null)[],
    limits: QueryOptions,
  ) => Promise<QueryResult>,
) => Promise<QueryResult>;

/** What a {@linkcode Transaction} has from its database. */
export interface TransactionContext {
  /** How values are decoded. */
  readonly values: ValueOptions;
  /** Runs and reports a statement. */
  readonly observe: Observe;
  /** Cancels the transaction. */
  readonly signal?: AbortSignal;
}

/** Queries inside a transaction; see {@linkcode Database.transaction}. */
export class Transaction extends Queries {
  /** How values are decoded. */
  protected override readonly values: ValueOptions;
  readonly #transaction: SessionTransaction<unknown>;
  readonly #context: TransactionContext;

  /** Is made by {@linkcode Database.transaction}. */
  constructor(
    transaction: SessionTransaction<unknown>,
    context: TransactionContext,
  ) {
    super();
    this.values = context.values;
    this.#transaction = transaction;
    this.#context = context;
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
    options: QueryOptions,
  ): Promise<QueryResult> {
    return this.#context.observe(
      text,
      args,
      this.#limited(options),
      (encoded, limits) =>
        this.#transaction.use((session) =>
          session.query(text, encoded, limits)
        ),
    );
  }

  /** Runs a statement in the transaction and yields its rows in batches. */
  protected override runStream(
    text: string,
    args: readonly unknown[],
    options: StreamQueryOptions,
  ): AsyncIterable<RowBatch> {
    const encoded = encodeArguments(args);
    const limits = this.#limited(options);
    return this.#transaction.useStream((session) =>
      session.stream(text, encoded, limits)
    );
  }

  #limited<O extends QueryOptions>(options: O): O {
    const { signal } = this.#context;
    if (signal === undefined) return options;
    return {
      ...options,
      signal: options.signal
        ? AbortSignal.any([options.signal, signal])
        : signal,
    };
  }
}

const AMBIGUOUS: readonly ErrorKind[] = ["ambiguous", "connection", "timeout"];

function isAmbiguous(error: unknown): boolean {
  return !(error instanceof DatabaseError) || AMBIGUOUS.includes(error.kind);
}

function beginStatement(options: TransactionOptions): string {
  const { isolation = "serializable", readOnly, priority, asOfSystemTime } =
    options;
  const modes = [`ISOLATION LEVEL ${isolation.toUpperCase()}`];
  if (readOnly) modes.push("READ ONLY");
  if (priority) modes.push(`PRIORITY ${priority.toUpperCase()}`);
  if (asOfSystemTime) {
    modes.push(`AS OF SYSTEM TIME ${systemTime(asOfSystemTime)}`);
  }
  return `BEGIN ${modes.join(", ")}`;
}
