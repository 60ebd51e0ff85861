/**
 * Why a session couldn't be opened, as one sentence that names the server and what to check. It is
 * the same for every driver.
 *
 * @module
 */

import { ConfigError, DatabaseError } from "../errors.ts";
import type { ConnectionConfig } from "./driver.ts";
import { HUNG_UP } from "./loss.ts";
import { tlsProblem } from "./tls.ts";

const NOT_POSTGRESQL = "the answer isn't PostgreSQL's; check host and port";

const REASONS: readonly (readonly [RegExp, string])[] = [
  [
    /ECONNREFUSED|ConnectionRefused/,
    "the connection was refused; check that a server listens there",
  ],
  [
    /ENOTFOUND|EAI_AGAIN|failed to lookup address/,
    "the host name wasn't found; check its spelling and the network",
  ],
  [
    /ENETUNREACH|EHOSTUNREACH|NetworkUnreachable|HostUnreachable/,
    "the host can't be reached; check the network and the firewall",
  ],
  [
    /ETIMEDOUT|TimedOut/,
    "the host didn't answer; check the network and the firewall",
  ],
  [/ECONNRESET|ConnectionReset/, HUNG_UP],
  // npm:pg's words for an answer to the request for TLS that is neither yes nor no.
  [/There was an error establishing an SSL connection/, NOT_POSTGRESQL],
  [/ENOENT|NotFound/, "there is no such socket; check that a server runs"],
  [
    /EACCES|PermissionDenied/,
    "this user may not use the socket; check its permissions",
  ],
];

/** SQLSTATEs of connections that failed on this side; no server sends them. */
const OURS = new Set(["08001", "08006"]);

/**
 * Names the place that a connection is for.
 *
 * @param config Host and port.
 * @returns `host:port`, with an IPv6 address in brackets, or the path of the Unix socket.
 */
export function addressOf(
  config: Pick<ConnectionConfig, "host" | "port">,
): string {
  const { host, port } = config;
  if (host.startsWith("/")) return `${host}/.s.PGSQL.${port}`;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What to do where the database isn't there. */
export const DATABASE_REMEDY = "create the database, or name another";

/** What to do about a server's refusal, by SQLSTATE. */
const REMEDIES: Readonly<Record<string, string>> = {
  "28P01": "check user and password",
  "28000": "check user, password and client certificate",
  "3D000": DATABASE_REMEDY,
  "53300": "close connections, or raise the server's limit",
  "57P03": "try again in a moment",
  "08P01": "check sslmode: a secure server wants require or more",
};

function refusal(
  error: DatabaseError,
  config: ConnectionConfig,
): DatabaseError {
  // What this side found out, such as a password that is lacking, names its remedy already.
  if (error.message.startsWith("Cannot ")) return error;
  const remedy = REMEDIES[error.code];
  const message = `Cannot connect to ${addressOf(config)}: ${error.message}${
    remedy === undefined ? "" : `; ${remedy}`
  }`;
  const { notices, cause } = error;
  // Whatever the server called it, it leaves no connection.
  const severity = error.severity === "ERROR" ? "FATAL" : error.severity;
  return new DatabaseError({ ...error, severity, message }, { notices, cause });
}

/**
 * Turns a failure to connect into the error for the caller. What the server itself said keeps its
 * SQLSTATE; a wrong setting and a missing permission of the runtime stay as they are.
 *
 * @param error What was thrown.
 * @param config The connection that was to be opened.
 * @returns The error to throw: a {@linkcode DatabaseError} with SQLSTATE 08001 or the server's, or
 * the one given.
 */
export function connectFailure(
  error: unknown,
  config: ConnectionConfig,
): unknown {
  if (error instanceof ConfigError) return error;
  if (error instanceof DatabaseError && !OURS.has(error.code)) {
    return refusal(error, config);
  }
  if (error instanceof Error && error.name === "NotCapable") return error;
  if (isForbiddenLookUp(error)) {
    return new Deno.errors.NotCapable(
      `Requires net access to "${
        addressOf(config)
      }", run again with the --allow-net flag`,
    );
  }
  return new DatabaseError({
    severity: "FATAL",
    code: "08001",
    message: `Cannot connect to ${addressOf(config)}: ${reasonOf(error)}`,
  }, { cause: error });
}

/** Says whether a host's name may not be looked up, in the words of Deno's `node:dns`. */
function isForbiddenLookUp(error: unknown): boolean {
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  return code === "EPERM" && syscall === "getaddrinfo" && "Deno" in globalThis;
}

/**
 * The error for a session that wasn't opened in time.
 *
 * @param config The connection that was to be opened.
 */
export function connectTimeout(config: ConnectionConfig): DatabaseError {
  return new DatabaseError({
    severity: "FATAL",
    code: "08001",
    message: `Cannot connect to ${
      addressOf(config)
    }: the server didn't answer within ${config.connectTimeoutMs} ms; check host, port and network, or raise the connect timeout`,
  });
}

function reasonOf(error: unknown): string {
  const problem = tlsProblem(error);
  if (problem !== undefined) return problem;
  if (!(error instanceof Error)) return String(error);
  if (error instanceof DatabaseError) {
    if (error.code === "08001") {
      return NOT_POSTGRESQL;
    }
    return error.cause === undefined
      ? "the server closed the connection during the log-in; see its log, and check host and port"
      : reasonOf(error.cause);
  }
  const { name, message } = error;
  const code = (error as { code?: unknown }).code;
  const known = REASONS.find(([pattern]) =>
    pattern.test(`${code} ${name} ${message}`)
  );
  return known?.[1] ?? message;
}
