/**
 * Why a pool has no session for a caller.
 *
 * @module
 */

import { DatabaseError } from "../errors.ts";

/** Who has a session. */
export interface Holder {
  /** What for, such as a statement. */
  readonly purpose: string;
  /** Since when, on the clock of `performance.now()`. */
  readonly since: number;
}

/** A pool, as a caller finds it that has waited for too long. */
export interface LateCall {
  /** What the caller wanted a session for. */
  readonly purpose: string;
  /** How long it has waited, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether that was its own limit, rather than the pool's. */
  readonly isOwnLimit: boolean;
  /** The most sessions open at once. */
  readonly max: number;
  /** Who has one. */
  readonly holders: readonly Holder[];
  /** How many are being opened. */
  readonly opening: number;
  /** How many others wait. */
  readonly others: number;
}

const PURPOSE_LENGTH = 60;

/**
 * The error of a caller that got no session in time.
 *
 * @param cause Why the last one couldn't be opened.
 */
export function lateError(call: LateCall, cause: unknown): DatabaseError {
  const { purpose, timeoutMs, isOwnLimit, max, holders, opening, others } =
    call;
  const now = performance.now();
  const uses = holders.map(({ purpose, since }) =>
    `${shorten(purpose)} (${Math.round(now - since)} ms)`
  );
  const limits = isOwnLimit ? "timeoutMs" : "pool.acquireTimeoutMs";
  const remedy = holders.length === 0
    ? `check that the server answers, or raise ${limits}`
    : `end what holds them, or raise pool.max or ${limits}`;
  return new DatabaseError({
    code: "55P03",
    message: `Cannot get a connection for ${shorten(purpose)} within ` +
      `${timeoutMs} ms: ${uses.length} of ${max} are in use${
        uses.length === 0 ? "" : `, for ${uses.join(", ")}`
      }, ${opening} are being opened, and ${others} more ${
        others === 1 ? "caller waits" : "callers wait"
      }; ${remedy}`,
  }, { cause });
}

/** The error of a caller that comes after the end. */
export function closedError(): DatabaseError {
  return new DatabaseError({
    code: "08003",
    message: "Cannot use the database: it was closed; make a new Database",
  });
}

/** One line, not too long; cut first, for a statement may have megabytes. */
function shorten(purpose: string): string {
  const line = purpose.slice(0, 10 * PURPOSE_LENGTH).replace(/\s+/g, " ")
    .trim();
  if (line === "") return "other work";
  return line.length <= PURPOSE_LENGTH
    ? line
    : line.slice(0, PURPOSE_LENGTH - 1) + "…";
}
