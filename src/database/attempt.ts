/**
 * The attempts at a transaction: what BEGIN, COMMIT and ROLLBACK of the retry loop mean on sessions of
 * the pool, and what is known where COMMIT's answer is lost.
 *
 * @module
 */

import type { Session } from "../driver/driver.ts";
import { checkOptionNames } from "../driver/config.ts";
import { checkSignal } from "../driver/limit.ts";
import {
  AmbiguousCommitError,
  ConfigError,
  DatabaseError,
  type ErrorKind,
} from "../errors.ts";
import { systemTime } from "./crud.ts";
import type { Loan } from "./pool.ts";
import { checkTimeLimit } from "./pool_limits.ts";
import {
  isRetryable,
  isRetryRequest,
  isUnreached,
  type Retryable,
} from "./retry.ts";
import { INSERT_TOKEN, TOKEN_TABLE } from "./tokens.ts";
import { Turns } from "./turns.ts";

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
  /**
   * Cancels the statement under way, and the transaction. Where that is COMMIT, its outcome may be
   * unknown then.
   */
  signal?: AbortSignal;
  /**
   * The limit of each statement that has none of its own, BEGIN and COMMIT included, and of the waiting
   * for a connection, in milliseconds. Default: the database's `statementTimeoutMs`.
   */
  timeoutMs?: number;
  /**
   * A text, new for each transaction, by which the outcome of a lost COMMIT is looked up: a row of
   * the table `_crdb_tokens`, written with the transaction. Old rows (`committed_at`) may be deleted.
   */
  token?: string;
}

/** What the attempts need of the database. */
export interface AttemptHost {
  /** Borrows a session. */
  acquire(): Promise<Loan>;
  /** Says whether the transaction with the token committed; waits where that is still open. */
  isCommitted(token: string): Promise<boolean>;
  /** The limit of BEGIN and COMMIT, in milliseconds. */
  readonly timeoutMs?: number;
}

const LEVELS: Readonly<
  Record<NonNullable<TransactionOptions["isolation"]>, string>
> = {
  "serializable": "SERIALIZABLE",
  "repeatable read": "REPEATABLE READ",
  "read committed": "READ COMMITTED",
};
const PRIORITIES: Readonly<
  Record<NonNullable<TransactionOptions["priority"]>, string>
> = { low: "LOW", normal: "NORMAL", high: "HIGH" };
const OPTION_NAMES = [
  "isolation",
  "readOnly",
  "priority",
  "asOfSystemTime",
  "maxRetries",
  "signal",
  "timeoutMs",
  "token",
];

/** A transaction on sessions of the pool, as the retry loop drives it. */
export class Attempts<T> implements Retryable<T> {
  readonly #host: AttemptHost;
  readonly #work: (turns: Turns) => Promise<T>;
  readonly #options: TransactionOptions;
  readonly #begin: string;
  #turns: Turns | undefined;
  #undone = false;
  #wasConnected = false;

  /**
   * Makes a transaction; nothing is sent yet.
   *
   * @param host The database.
   * @param work The caller's work, on the turns of an attempt.
   * @param options How the transaction runs.
   * @throws {ConfigError} An option that is unknown, or has an unknown value.
   */
  constructor(
    host: AttemptHost,
    work: (turns: Turns) => Promise<T>,
    options: TransactionOptions = {},
  ) {
    checkOptionNames(options, OPTION_NAMES);
    const { maxRetries = 0, signal, timeoutMs, token = "a text" } = options;
    checkSignal(signal);
    if (typeof token !== "string" || token === "") {
      throw new ConfigError(
        "Cannot run a transaction with a token that is no text: give one, new for each transaction",
      );
    }
    if (timeoutMs !== undefined) checkTimeLimit("timeoutMs", timeoutMs);
    if (!(typeof maxRetries === "number" && maxRetries >= 0)) {
      throw new ConfigError(
        `Cannot run a transaction with maxRetries ${maxRetries}: give a number from 0`,
      );
    }
    this.#host = host;
    this.#work = work;
    this.#options = options;
    this.#begin = beginStatement(options);
  }

  /** Borrows a session and sends BEGIN. */
  async begin(): Promise<void> {
    const { signal, token } = this.#options;
    const { timeoutMs } = this.#host;
    const limits = { signal, timeoutMs };
    this.#undone = false;
    this.#turns = undefined;
    const turns = this.#turns = new Turns(await this.#host.acquire());
    this.#wasConnected = true;
    checkServer(turns.session, this.#options);
    await turns.use((session) => session.query(this.#begin, [], limits));
    if (token === undefined || this.#isReadOnly) return;
    await turns.use((session) => session.query(INSERT_TOKEN, [token], limits));
  }

  /** Runs the caller's work. */
  body(): Promise<T> {
    return this.#work(this.#turns!);
  }

  /** Sends COMMIT, and where its answer is lost, finds out what it did. */
  async commit(): Promise<void> {
    const { signal } = this.#options;
    const turns = this.#turns!;
    const { session } = turns;
    await turns.finish();
    signal?.throwIfAborted();
    if (session.broken) {
      this.#undone = true;
      throw turns.failure ?? lostError();
    }
    if (turns.endedBy !== undefined) throw endedInsideError(turns.endedBy);
    const { timeoutMs } = this.#host;
    try {
      const limits = { signal, timeoutMs };
      const { command } = await session.query("COMMIT", [], limits);
      // A failed transaction answers COMMIT with ROLLBACK and no error.
      if (command === "ROLLBACK") throw turns.failure ?? rolledBackError();
    } catch (error) {
      if (error === turns.failure || !isOpen(error, session)) throw error;
      await this.#resolve(error);
    }
    await turns.end();
  }

  /** Gives the session back; the pool rolls back whatever comes home in a transaction. */
  async rollback(): Promise<void> {
    await this.#turns?.end();
  }

  /** Whether the failed attempt may be made again. */
  mayRetry(error: unknown): boolean {
    if (this.#options.signal?.aborted) return false;
    if (error instanceof AmbiguousCommitError) return false;
    if (this.#undone || isRetryRequest(error)) return true;
    // Lost connections count where they are the attempt's own, not another database's.
    if (this.#turns !== undefined) return isRetryable(this.#turns.failure);
    return isRetryable(error) || this.#wasConnected && isUnreached(error);
  }

  /** The past can't be written either. */
  get #isReadOnly(): boolean {
    const { readOnly, asOfSystemTime } = this.#options;
    return readOnly === true || asOfSystemTime !== undefined;
  }

  async #resolve(lost: unknown): Promise<void> {
    const { token } = this.#options;
    // The look-up must not wait for the session that this one holds.
    await this.#turns!.end();
    let cause = lost;
    if (this.#isReadOnly) this.#undone = true;
    else if (token !== undefined) {
      try {
        if (await this.#host.isCommitted(token)) return;
        this.#undone = true;
      } catch (error) {
        cause = error;
      }
    }
    if (this.#undone) throw lost;
    throw new AmbiguousCommitError(
      "Cannot tell whether the transaction committed: the answer to COMMIT was lost; " +
        (token === undefined
          ? "look for its effects before running it again, or give transaction() a token"
          : `look for the row "${token}" in ${TOKEN_TABLE} before running it again`),
      { cause },
    );
  }
}

const AMBIGUOUS: readonly ErrorKind[] = ["ambiguous", "connection", "timeout"];

/** What the server has said of COMMIT holds, also where the connection ends right behind it. */
function isOpen(error: unknown, { broken }: Session): boolean {
  if (!(error instanceof DatabaseError)) return true;
  const { kind, severity, cause } = error;
  const isAnswer = severity === "ERROR" && cause === undefined;
  return AMBIGUOUS.includes(kind) || (broken && !isAnswer);
}

function lostError(): DatabaseError {
  return new DatabaseError({
    code: "08006",
    message:
      "Cannot commit: the connection was lost before COMMIT was sent, so nothing was written; run the transaction again",
  });
}

function endedInsideError(command: string): DatabaseError {
  return new DatabaseError({
    code: "25P01",
    message:
      `Cannot commit: a ${command} of the callback has ended the transaction already; leave that to transaction(), and throw to roll back`,
  });
}

function rolledBackError(): DatabaseError {
  return new DatabaseError({
    code: "25P02",
    message:
      "Cannot commit: the server rolled the transaction back; let its errors through",
  });
}

function beginStatement(options: TransactionOptions): string {
  const { isolation = "serializable", readOnly, priority, asOfSystemTime } =
    options;
  const level = isolation.toLowerCase().replaceAll("_", " ");
  const modes = [`ISOLATION LEVEL ${chosen("isolation", level, LEVELS)}`];
  if (readOnly) modes.push("READ ONLY");
  if (priority) {
    modes.push(`PRIORITY ${chosen("priority", priority, PRIORITIES)}`);
  }
  if (asOfSystemTime) {
    modes.push(`AS OF SYSTEM TIME ${systemTime(asOfSystemTime)}`);
  }
  return `BEGIN ${modes.join(", ")}`;
}

/** Refuses what PostgreSQL has no words for; its own error names neither option nor server. */
function checkServer(
  { parameters }: Session,
  { priority, asOfSystemTime }: TransactionOptions,
): void {
  if (parameters.crdb_version !== undefined) return;
  const name = priority !== undefined
    ? "priority"
    : asOfSystemTime !== undefined
    ? "asOfSystemTime"
    : undefined;
  if (name === undefined || parameters.server_version === undefined) return;
  throw new ConfigError(
    `Cannot begin a transaction with ${name}: only CockroachDB knows that, and this is PostgreSQL; leave it out`,
  );
}

function chosen(
  name: string,
  value: string,
  known: Readonly<Record<string, string>>,
): string {
  if (Object.hasOwn(known, value)) return known[value];
  throw new ConfigError(
    `Cannot begin a transaction with ${name} "${value}": give one of ${
      Object.keys(known).join(", ")
    }`,
  );
}
