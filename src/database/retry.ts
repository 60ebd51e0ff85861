/**
 * The retry loop of transactions: four verbs, no SQL.
 *
 * @module
 */

import { delay } from "../delay.ts";
import { AmbiguousCommitError, DatabaseError } from "../errors.ts";

/** What the retry loop needs of a transaction. */
export interface Retryable<T> {
  /** Starts an attempt. */
  begin(): Promise<void>;
  /** Runs the caller's work. */
  body(): Promise<T>;
  /** Makes the work last; rejects where it doesn't. */
  commit(): Promise<void>;
  /** Undoes an attempt that failed; never rejects. */
  rollback(): Promise<void>;
  /** Whether the attempt, which failed with this error and took no effect, may be made again. */
  mayRetry(error: unknown): boolean;
}

/** When the retry loop gives up, and how it waits. */
export interface RetryOptions {
  /** How often the work is run again at most. */
  maxRetries: number;
  /** Ends the waiting between attempts. */
  signal?: AbortSignal;
}

const MIN_DELAY_MS = 5;
const MAX_DELAY_MS = 1_000;

/**
 * Runs a transaction until it commits, fails for good, or has used up its retries.
 *
 * The waiting grows exponentially up to a second, with full jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 *
 * @returns What the body of the attempt that committed returned.
 * @throws {unknown} The error of the last attempt, as it is, or the signal's reason.
 */
export async function runWithRetries<T>(
  transaction: Retryable<T>,
  options: RetryOptions,
): Promise<T> {
  const { maxRetries, signal } = options;
  for (let attempt = 0;; attempt++) {
    try {
      await transaction.begin();
      const result = await transaction.body();
      await transaction.commit();
      return result;
    } catch (error) {
      await transaction.rollback();
      if (attempt >= maxRetries || !transaction.mayRetry(error)) throw error;
    }
    const longest = Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** attempt);
    await delay(Math.random() * longest, signal);
  }
}

/**
 * Whether the server asked for another attempt: CockroachDB's 40001 and its like, as this error or
 * as its cause.
 */
export function isRetryRequest(error: unknown): boolean {
  return someCause(error, ({ kind }) => kind === "retryable");
}

/** The server has no room for a while: https://www.cockroachlabs.com/docs/stable/common-errors */
const OVERLOADED = ["53200", "53300", "58C00"];

/**
 * Whether a transaction that failed with this error before COMMIT took no effect and may be run
 * again: the server asked for it or was overloaded, or the connection was lost.
 */
export function isRetryable(error: unknown): boolean {
  return isRetryRequest(error) || someCause(
    error,
    // 08001: no connection was made; 08003: the database was closed. Another try ends like the first.
    ({ kind, code }) =>
      OVERLOADED.includes(code) ||
      kind === "connection" && code !== "08001" && code !== "08003",
  );
}

/** Whether no connection was made; where one was made before, the server may soon be back. */
export function isUnreached(error: unknown): boolean {
  return someCause(error, ({ code }) => code === "08001");
}

function someCause(
  error: unknown,
  fits: (error: DatabaseError) => boolean,
): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof AmbiguousCommitError) return false;
    if (at instanceof DatabaseError && fits(at)) return true;
  }
  return false;
}
