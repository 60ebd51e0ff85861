/**
 * The settings of a connection one by one: what each may be, whether it comes from an option, a URL
 * or a variable. Pure; every error says where the setting stands, and never shows its value.
 *
 * @module
 */

import { isIP } from "node:net";
import { ConfigError } from "../errors.ts";
import type { SslMode } from "./driver.ts";

/** The settings that one source gives. */
export interface Settings {
  /** A host name, an address, or the absolute folder of a Unix socket. Default: `localhost`. */
  host?: string;
  /** The port. Default: 26257. */
  port?: number;
  /** The database. Default: `defaultdb`. */
  database?: string;
  /** The user. Default: `root`. */
  user?: string;
  /** The password, where the server asks for one. */
  password?: string;
  /** How the connection is protected. Default: `disable` for this machine, `verify-full` for others and wherever a certificate is given. */
  sslMode?: SslMode;
  /** The authorities' certificates: a path, PEM text, or `"system"` for those that the runtime trusts. */
  sslRootCert?: string;
  /** The client's certificate: a path or PEM text. */
  sslCert?: string;
  /** The client's private key: a path or PEM text. */
  sslKey?: string;
  /** What the server shows as the session's application. Default: `crdb`. */
  applicationName?: string;
  /** Settings of each session, such as `{ search_path: "app" }`. */
  sessionSettings?: Record<string, string>;
  /** The limit for opening a session, log-in included, in milliseconds. Default: 10,000. */
  connectTimeoutMs?: number;
}

const SSL_MODES: readonly SslMode[] = [
  "disable",
  "allow",
  "prefer",
  "require",
  "verify-ca",
  "verify-full",
];

/** What the start-up message carries by itself, or what decoding relies on. */
const OWN_PARAMETERS = [
  "user",
  "database",
  "application_name",
  "client_encoding",
  "options",
  "replication",
];

const MAX_PORT = 65_535;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Takes a text that can be sent to a server.
 *
 * @param value The value.
 * @param where Where it stands, for the message: `"the option user"`.
 * @throws {ConfigError} Where it is no string or holds a NUL character.
 */
export function toText(value: unknown, where: string): string {
  if (typeof value !== "string") {
    throw new ConfigError(
      `Cannot use ${where}: it is not a string; give a string`,
    );
  }
  if (value.includes("\0")) {
    throw new ConfigError(
      `Cannot use ${where}: it holds a NUL character; remove it`,
    );
  }
  return value;
}

/**
 * Takes a host name, an address or the folder of a socket.
 *
 * @param value The value; an IPv6 address may stand in brackets.
 * @param where Where it stands, for the message.
 * @throws {ConfigError} Where it names several hosts, or is none.
 */
export function toHost(value: unknown, where: string): string {
  const text = toText(value, where);
  if (text.startsWith("/")) return text;
  if (text.includes(",")) {
    throw new ConfigError(
      `Cannot use ${where}: it names several hosts; give one, such as a load balancer's`,
    );
  }
  const bare = /^\[(.*)\]$/.exec(text)?.[1];
  const address = bare ?? text;
  if (address.includes(":") && isIP(address) === 6) return address;
  if (bare !== undefined || /[\s/:@?#[\]\\%]/.test(text)) {
    throw new ConfigError(
      `Cannot use ${where}: it is no host name, address or absolute folder; give the host alone, and the port beside it`,
    );
  }
  return text;
}

/**
 * Takes a port.
 *
 * @param value A number, or a text of digits.
 * @param where Where it stands, for the message.
 * @throws {ConfigError} Where it is no whole number from 1 to 65535.
 */
export function toPort(value: unknown, where: string): number {
  return toWhole(value, where, MAX_PORT);
}

/**
 * Takes a time limit.
 *
 * @param value A number of milliseconds.
 * @param where Where it stands, for the message.
 * @throws {ConfigError} Where it is no whole number from 1 to 2^31-1.
 */
export function toMilliseconds(value: unknown, where: string): number {
  return toWhole(value, where, MAX_TIMEOUT_MS);
}

/**
 * Takes a time limit in seconds, as URLs and variables have it. As in libpq, 0 is no limit: the
 * longest that there is.
 *
 * @param value A text of digits.
 * @param where Where it stands, for the message.
 * @returns The limit in milliseconds.
 * @throws {ConfigError} Where it is no whole number of seconds.
 */
export function secondsToMilliseconds(value: unknown, where: string): number {
  if (value === "0") return MAX_TIMEOUT_MS;
  return toWhole(value, where, Math.floor(MAX_TIMEOUT_MS / 1000)) * 1000;
}

function toWhole(value: unknown, where: string, max: number): number {
  const number = typeof value === "string" && /^\d+$/.test(value)
    ? Number(value)
    : value;
  if (
    typeof number === "number" && Number.isInteger(number) && number >= 1 &&
    number <= max
  ) {
    return number;
  }
  throw new ConfigError(
    `Cannot use ${where}: give a whole number from 1 to ${max}`,
  );
}

/**
 * Takes an `sslmode`.
 *
 * @param value The value.
 * @param where Where it stands, for the message.
 * @throws {ConfigError} Where it is none of libpq's six.
 */
export function toSslMode(value: unknown, where: string): SslMode {
  const mode = SSL_MODES.find((known) => known === value);
  if (mode !== undefined) return mode;
  throw new ConfigError(
    `Cannot use ${where}: unknown mode; give one of ${SSL_MODES.join(", ")}`,
  );
}

/**
 * Takes settings of a session.
 *
 * @param value An object of strings.
 * @param where Where it stands, for the message.
 * @throws {ConfigError} Where it is no such object, or sets what belongs to the connection itself.
 */
export function toSessionSettings(
  value: unknown,
  where: string,
): Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ConfigError(
      `Cannot use ${where}: it is no object; give { name: "value" }`,
    );
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, text]) => {
      if (!/^[A-Za-z_][\w.]*$/.test(name)) {
        throw new ConfigError(
          `Cannot use ${where}: a setting has no valid name; give letters, digits, _ and .`,
        );
      }
      if (OWN_PARAMETERS.includes(name.toLowerCase())) {
        throw new ConfigError(
          `Cannot set "${name}" in ${where}: it belongs to the connection itself; use the connection's own options`,
        );
      }
      return [name, toText(text, `"${name}" in ${where}`)];
    }),
  );
}

/**
 * Reads the command-line form of settings: `-c k=v`, `-ck=v` and `--k=v`, apart by blanks, with a
 * backslash before a blank or backslash that belongs to a value.
 *
 * Source: {@link https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-OPTIONS}
 *
 * @example
 * ```ts
 * import { parseOptions } from "./settings.ts";
 *
 * parseOptions("-c statement_timeout=5s --cluster=blue-42", "PGOPTIONS");
 * // { statement_timeout: "5s", cluster: "blue-42" }
 * ```
 *
 * @param value The text.
 * @param where Where it stands, for the message.
 * @returns The settings; of several with one name the last.
 * @throws {ConfigError} Where it holds anything else.
 */
export function parseOptions(
  value: string,
  where: string,
): Record<string, string> {
  const words = (value.match(/(?:\\[^]|[^\s\\])+/g) ?? [])
    .map((word) => word.replace(/\\([^])/g, "$1"));
  const settings: [string, string][] = [];
  for (let i = 0; i < words.length; i++) {
    const setting = words[i] === "-c"
      ? words[++i] ?? ""
      : /^(?:--|-c)([^]*)$/.exec(words[i])?.[1] ?? "";
    const equals = setting.indexOf("=");
    if (equals < 1) {
      throw new ConfigError(
        `Cannot use ${where}: word ${
          i + 1
        } sets nothing; write each setting as -c name=value or --name=value`,
      );
    }
    // As the server does, for the sake of names on command lines.
    const name = setting.slice(0, equals).replaceAll("-", "_");
    settings.push([name, setting.slice(equals + 1)]);
  }
  return toSessionSettings(Object.fromEntries(settings), where);
}

/** Says whether a certificate or key was given as text, rather than as the path of a file. */
export function isPem(source: string): boolean {
  return source.includes("-----BEGIN");
}
