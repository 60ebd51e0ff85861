/**
 * The engine's own statements, which stand alone: where the server asks for another attempt, there is
 * nothing to roll back and nobody to tell.
 *
 * @module
 */

import { isRetryRequest, runWithRetries } from "../database/retry.ts";

const MAX_RETRIES = 50;

/**
 * Runs one statement outside of a transaction, again while the server asks for that (40001).
 *
 * @throws {unknown} The error of the last attempt, as it is.
 */
export function insist<T>(statement: () => Promise<T>): Promise<T> {
  const nothing = () => Promise.resolve();
  return runWithRetries({
    begin: nothing,
    body: statement,
    commit: nothing,
    rollback: nothing,
    mayRetry: isRetryRequest,
  }, { maxRetries: MAX_RETRIES });
}
