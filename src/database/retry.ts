/**
 * The retry loop of transactions: four verbs, no SQL.
 *
 * @module
 */

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
    await delay(
      Math.random() * Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** attempt),
      signal,
    );
  }
}

/**
 * Whether a transaction that failed with this error took no effect and may be run again: CockroachDB's
 * 40001 and its like, or a connection lost before COMMIT was sent.
 */
export function isRetryable(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof AmbiguousCommitError) return false;
    if (!(at instanceof DatabaseError)) continue;
    if (at.kind === "retryable") return true;
    // 08001: no connection was made, so trying the same again at once is no remedy.
    if (
      at.kind === "connection" && at.code !== "08001" && at.code !== "08003"
    ) return true;
  }
  return false;
}

function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
