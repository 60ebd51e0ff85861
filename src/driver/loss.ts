/**
 * Why a session can do no more work, as the errors that its calls then reject with.
 *
 * @module
 */

import { DatabaseError } from "../errors.ts";
import type { WireFields } from "./driver.ts";

/**
 * The end of the stream, or its failure.
 *
 * @param cause What the runtime threw; absent for an orderly end.
 */
export function hangUp(cause: unknown): DatabaseError {
  const reason = cause instanceof Error
    ? `the connection broke (${cause.message})`
    : "the server closed the connection";
  return abandoned(reason, cause);
}

/** The end of a connection that was being opened, and what to do. */
export const HUNG_UP =
  "the server closed the connection; see its log, and check host, port and sslmode";

/**
 * A decision of ours to close the connection.
 *
 * @param reason What comes between "Cannot go on with the session:" and the remedy.
 * @param cause What led to it.
 */
export function abandoned(reason: string, cause?: unknown): DatabaseError {
  return new DatabaseError({
    severity: "FATAL",
    code: "08006",
    message: `Cannot go on with the session: ${reason}; open another one`,
  }, { cause });
}

/**
 * An answer that isn't PostgreSQL's.
 *
 * @param loggedIn Whether the answers before it were.
 * @param cause What is wrong with it.
 */
export function protocolBreach(
  loggedIn: boolean,
  cause?: unknown,
): DatabaseError {
  return new DatabaseError({
    severity: "FATAL",
    code: loggedIn ? "08P01" : "08001",
    message: loggedIn
      ? "Cannot go on with the session: the server's answer breaks the protocol; open another one"
      : "Cannot log in: the server's answer isn't PostgreSQL's; check host and port",
  }, { cause });
}

/**
 * A session whose texts are no longer UTF-8, which drivers read and write whatever it says.
 *
 * @param parameters What the server reports of itself.
 * @returns Why no more is to be done; `undefined` where it is UTF-8.
 */
export function foreignEncoding(
  { client_encoding = "UTF8" }: Readonly<Record<string, string>>,
): DatabaseError | undefined {
  // UNICODE is PostgreSQL's other name of it.
  if (/^(?:utf-?8|unicode)$/i.test(client_encoding)) return undefined;
  return new DatabaseError({
    severity: "ERROR",
    code: "0A000",
    message:
      `Cannot go on with the client_encoding ${client_encoding}: this client reads and writes UTF8; leave that as it is`,
  });
}

/**
 * What is said of a COPY in place of the server.
 *
 * @param form What was asked for: `FROM STDIN`, `TO STDOUT`.
 * @param instead The statement that does the same here.
 */
export function copyRefusal(form: string, instead: string): WireFields {
  return {
    severity: "ERROR",
    code: "0A000",
    message: `Cannot COPY ${form} through this client; use ${instead}`,
  };
}

/** The use of a session after its end. It is made once: an error's stack costs more than a good-bye. */
export const CLOSED: DatabaseError = new DatabaseError({
  severity: "FATAL",
  code: "08003",
  message: "Cannot use the session: it was closed; open another one",
});

/**
 * Says of the loss of a connection under a statement that it may have run.
 *
 * @param error What the statement failed with.
 * @returns An error that says so, or the one given where it is no loss.
 */
export function withUnknownOutcome(error: unknown): unknown {
  if (!(error instanceof DatabaseError) || !isLoss(error)) return error;
  const { statement, notices, message } = error;
  return new DatabaseError({
    ...error,
    message:
      `Cannot tell whether the statement took effect: its connection was lost (${message}); look for its effects before running it again`,
  }, { statement, notices, cause: error });
}

/** The server's last word may have any code. */
function isLoss({ kind, severity }: DatabaseError): boolean {
  return kind === "connection" ||
    (kind === "other" && severity !== "ERROR");
}
