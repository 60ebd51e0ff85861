/**
 * The errors of `npm:pg` as this library's: what the server said, and the loss of a connection.
 *
 * @module
 */

import { DatabaseError } from "../errors.ts";
import type { WireFields } from "./driver.ts";
import { unsupportedLogIn } from "./log_in.ts";
import { hangUp, protocolBreach } from "./loss.ts";

/**
 * What the server said.
 *
 * @param error An error or notice of the client's.
 * @returns Its fields; `undefined` where it isn't the server's.
 */
export function errorFields(error: unknown): WireFields | undefined {
  const { code, severity, message, ...rest } = error as
    & Partial<Record<keyof WireFields, string>>
    & Error;
  if (code === undefined || severity === undefined) return undefined;
  return {
    severity,
    code,
    message,
    detail: rest.detail,
    hint: rest.hint,
    position: numberOf(rest.position),
    schema: rest.schema,
    table: rest.table,
    column: rest.column,
    dataType: rest.dataType,
    constraint: rest.constraint,
    where: rest.where,
    internalQuery: rest.internalQuery,
    internalPosition: numberOf(rest.internalPosition),
    file: rest.file,
    line: numberOf(rest.line),
    routine: rest.routine,
  };
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/**
 * Why a session is lost.
 *
 * @param cause What the client says of it.
 */
export function lossError(cause: Error): DatabaseError {
  if (cause instanceof DatabaseError) return cause;
  const fields = errorFields(cause);
  if (fields !== undefined) return new DatabaseError(fields, { cause });
  return hangUp(isHangUp(cause) ? undefined : cause);
}

/**
 * What is wrong with an answer that the client can't read.
 *
 * @param loggedIn Whether it could read the answers before.
 * @param cause What it threw. Of requests that it doesn't know it names the number only there.
 */
export function unreadable(loggedIn: boolean, cause: unknown): Error {
  const [, code] = cause instanceof Error && !loggedIn
    ? /^Unknown authentication\w* message type (-?\d+)$/.exec(cause.message) ??
      []
    : [];
  return code === undefined
    ? protocolBreach(loggedIn, cause)
    : unsupportedLogIn(Number(code));
}

/**
 * Says whether an error is the end of the stream.
 *
 * @param error An error of the client's, which has words of its own for that.
 */
export function isHangUp(error: unknown): boolean {
  return error instanceof Error && /^Connection terminated/.test(error.message);
}
