/**
 * A call of a session: what is wrong with it before anything is sent, and why it failed where the
 * server doesn't say so itself.
 *
 * @module
 */

import { DatabaseError, type DatabaseErrorOptions } from "../errors.ts";
import type { StatementOptions } from "./driver.ts";

/** A statement and its arguments. */
export interface Statement {
  /** The SQL text. */
  readonly text: string;
  /** The arguments, in text. */
  readonly args: readonly (string | null)[];
}

/** A statement, and the limits that it runs within. */
export interface Call extends Statement, StatementOptions {}

const MAX_ARGUMENTS = 65_535;

/**
 * Refuses what can't be sent.
 *
 * @throws {DatabaseError} Too many arguments (54023); a NUL character, or half a surrogate pair (22021).
 */
export function checkCall(call: Call): void {
  const { text, args } = call;
  if (args.length > MAX_ARGUMENTS) {
    const reason = `${args.length} arguments are more than the ` +
      `${MAX_ARGUMENTS} that the protocol allows; send fewer at a time`;
    throw refusal(call, "54023", reason);
  }
  if (text.includes("\0") || args.some((arg) => arg?.includes("\0"))) {
    const reason = "its text or an argument holds a NUL character; take it out";
    throw refusal(call, "22021", reason);
  }
  if (
    !text.isWellFormed() || args.some((arg) => arg?.isWellFormed() === false)
  ) {
    const reason = "its text or an argument holds half a surrogate pair, " +
      "which has no UTF-8 form; mend it with toWellFormed()";
    throw refusal(call, "22021", reason);
  }
}

/** The error of a call of a session that has another one under way. */
export function busyError(call: Call): DatabaseError {
  const reason =
    "the session is busy; wait for its statement, or use another session";
  return refusal(call, "55006", reason);
}

function refusal(call: Call, code: string, reason: string): DatabaseError {
  const { text: statement } = call;
  const message = `Cannot run the statement: ${reason}`;
  return new DatabaseError({ code, message }, { statement });
}

/** Why a session was lost, as the error of a later call, or of the one that it was lost under. */
export function repeated(
  lost: DatabaseError,
  options: DatabaseErrorOptions,
): DatabaseError {
  const { message } = lost;
  return new DatabaseError({ ...lost, message }, { ...options, cause: lost });
}

/** The error of a call that was cancelled and has ended in another way. */
export function cancelledError({ text: statement }: Call): DatabaseError {
  return new DatabaseError({
    code: "57014",
    message: "Cannot finish the statement: it was cancelled",
  }, { statement });
}

/**
 * The error of a call that took too long.
 *
 * @param cause What the server said of it.
 */
export function timeoutError(
  { text: statement, timeoutMs }: Call,
  cause?: DatabaseError,
): DatabaseError {
  return new DatabaseError({
    code: "57014",
    message:
      `Cannot finish the statement within ${timeoutMs} ms: it was cancelled; raise timeoutMs, or shorten the statement`,
  }, { statement, notices: cause?.notices, cause });
}
