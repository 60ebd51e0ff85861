/**
 * The engine's own statements, which stand alone: where the server asks for another attempt, there is
 * nothing to roll back and nobody to tell.
 *
 * @module
 */

import { isRetryRequest, runWithRetries } from "../database/retry.ts";
import { decodeRows } from "../database/values.ts";
import type { Session } from "../driver/driver.ts";

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

/** A row of what a server shows of itself; versions differ in its columns. */
export type ServerRow = Readonly<Record<string, unknown>>;

/** Reads rows as {@linkcode insist} runs statements, with every INT8 as text. */
export async function readRows(
  session: Session,
  text: string,
): Promise<ServerRow[]> {
  const { columns, rows } = await insist(() => session.query(text));
  return decodeRows(columns, rows, { int8: "string", timestamps: "date" });
}

/** A value as text; `""` where there is none. */
export function asText(value: unknown): string {
  return value === null || value === undefined ? "" : String(value);
}
