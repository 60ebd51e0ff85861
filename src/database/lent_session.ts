/**
 * A session while it is lent: whoever keeps it for longer can't reach it any more, for by then it may
 * be another's.
 *
 * @module
 */

import type {
  QueryResult,
  RowBatch,
  Session,
  SessionQueryOptions,
  StreamOptions,
  TransactionStatus,
} from "../driver/driver.ts";
import { DatabaseError } from "../errors.ts";

/** A session on loan. */
export class LentSession implements Session {
  #session: Session | undefined;

  /**
   * Begins a loan.
   *
   * @param session The session.
   */
  constructor(session: Session) {
    this.#session = session;
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

  /** Whether it gives rows to a sink. */
  get takesSinks(): boolean {
    return this.#lent().takesSinks ?? false;
  }

  /** Runs a statement. */
  async query(
    text: string,
    args?: readonly (string | null)[],
    options?: SessionQueryOptions,
  ): Promise<QueryResult> {
    return await this.#lent().query(text, args, options);
  }

  /** Runs one statement and yields its rows in batches. */
  async *stream(
    text: string,
    args?: readonly (string | null)[],
    options?: StreamOptions,
  ): AsyncGenerator<RowBatch, void> {
    yield* this.#lent().stream(text, args, options);
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
 * @returns The callback for the session itself.
 */
export function whileLent<T>(
  fn: (session: Session) => Promise<T>,
): (session: Session) => Promise<T> {
  return async (session) => {
    const lent = new LentSession(session);
    try {
      return await fn(lent);
    } finally {
      lent.end();
    }
  };
}
