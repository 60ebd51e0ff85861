/**
 * The attempts at a transaction: what BEGIN, COMMIT and ROLLBACK of the retry loop mean on sessions of
 * the pool, and what is known where COMMIT's answer is lost.
 *
 * @module
 */

import type { Session } from "../driver/driver.ts";
import {
  AmbiguousCommitError,
  DatabaseError,
  type ErrorKind,
} from "../errors.ts";
import type { Loan } from "./pool.ts";
import {
  isRetryable,
  isRetryRequest,
  isUnreached,
  type Retryable,
} from "./retry.ts";
import { INSERT_TOKEN, TOKEN_TABLE } from "./tokens.ts";
import {
  beginStatement,
  checkServer,
  type TransactionOptions,
} from "./transaction_options.ts";
import { Turns } from "./turns.ts";

/** What the attempts need of the database. */
export interface AttemptHost {
  /** Borrows a session. */
  acquire(): Promise<Loan>;
  /** Says whether the transaction with the token committed; waits where that is still open. */
  isCommitted(token: string): Promise<boolean>;
  /** The limit of BEGIN and COMMIT, in milliseconds. */
  readonly timeoutMs?: number;
}

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
   * @throws {ConfigError} An isolation level or a priority that is unknown.
   */
  constructor(
    host: AttemptHost,
    work: (turns: Turns) => Promise<T>,
    options: TransactionOptions = {},
  ) {
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
    if (turns.endedBy !== undefined) throw endedInsideError(turns.endedBy);
    if (session.broken) {
      this.#undone = true;
      throw turns.failure ?? lostError();
    }
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
    // What came before the callback's own COMMIT stays, and would be done twice.
    if (this.#turns?.endedBy !== undefined) return false;
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
