/**
 * A session while it is lent: whoever keeps it for longer can't reach it any more, for by then it may
 * be another's.
 *
 * @module
 */

import type {
  CallOptions,
  QueryResult,
  RowBatch,
  Session,
  SessionQueryOptions,
  StreamOptions,
  TransactionStatus,
} from "../driver/driver.ts";
import { DatabaseError } from "../errors.ts";
import { limitedBy } from "./limits.ts";

/** A session on loan. */
export class LentSession implements Session {
  #session: Session | undefined;
  #limits: CallOptions;

  /**
   * Begins a loan.
   *
   * @param session The session.
   * @param limits The limits of statements that have none of their own.
   */
  constructor(session: Session, limits: CallOptions = {}) {
    this.#session = session;
    this.#limits = limits;
  }

  /** Ends the loan. */
  end(): void {
    this.#session = undefined;
  }

  /** What the server reported of itself. */
  get parameters(): Readonly<Record<string, string>> {
    return this.#lent().parameters;
  }

  /** Whether the session can do no more work; so it is at the end of the loan. */
  get broken(): boolean {
    return this.#session?.broken ?? true;
  }

  /** The state of the session's transaction, as of the last answer. */
  get transactionStatus(): TransactionStatus {
    return this.#lent().transactionStatus;
  }

  /** Whether a statement is under way. */
  get busy(): boolean {
    return this.#session?.busy ?? false;
  }

  /** Whether it gives rows to a sink. */
  get takesSinks(): boolean {
    return this.#lent().takesSinks ?? false;
  }

  /** Runs a statement. */
  async query(
    text: string,
    args?: readonly (string | null)[],
    options: SessionQueryOptions = {},
  ): Promise<QueryResult> {
    const limited = limitedBy(this.#limits, options);
    return await this.#lent().query(text, args, limited);
  }

  /** Runs one statement and yields its rows in batches. */
  async *stream(
    text: string,
    args?: readonly (string | null)[],
    options: StreamOptions = {},
  ): AsyncGenerator<RowBatch, void> {
    const limited = limitedBy(this.#limits, options);
    yield* this.#lent().stream(text, args, limited);
  }

  /** Asks the server to cancel the statement under way. */
  async cancel(): Promise<void> {
    await this.#session?.cancel();
  }

  /** Ends the session; never rejects. */
  async close(): Promise<void> {
    await this.#session?.close();
  }

  #lent(): Session {
    if (this.#session !== undefined) return this.#session;
    throw new DatabaseError({
      code: "08003",
      message:
        "Cannot use the session: it was given back; use it only in the callback of withSession()",
    });
  }
}

/**
 * Makes a callback's session one on loan, until the callback has ended.
 *
 * @param fn The callback.
 * @param limits The limits of its statements that have none of their own.
 * @returns The callback for the session itself.
 */
export function whileLent<T>(
  fn: (session: Session) => Promise<T>,
  limits: CallOptions,
): (session: Session) => Promise<T> {
  return async (session) => {
    const lent = new LentSession(session, limits);
    try {
      return await fn(lent);
    } finally {
      lent.end();
    }
  };
}
