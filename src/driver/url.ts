/**
 * Connection URLs: `postgres://user:password@host:port/database?parameter=value` to settings. Pure;
 * no error shows any part of a URL that could hold a piece of a badly escaped password.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";
import {
  parseOptions,
  secondsToMilliseconds,
  type Settings,
  toHost,
  toPort,
  toSslMode,
  toText,
} from "./settings.ts";

type Reader = (value: string, where: string) => unknown;

/** The parameters of a URL, with the setting that each gives and how it is read. */
const PARAMETERS: ReadonlyMap<string, [keyof Settings, Reader]> = new Map([
  ["sslmode", ["sslMode", toSslMode]],
  ["sslrootcert", ["sslRootCert", toText]],
  ["sslcert", ["sslCert", toText]],
  ["sslkey", ["sslKey", toText]],
  ["application_name", ["applicationName", toText]],
  ["options", ["sessionSettings", parseOptions]],
  ["connect_timeout", ["connectTimeoutMs", secondsToMilliseconds]],
  ["host", ["host", toHost]],
  ["port", ["port", toPort]],
  ["dbname", ["database", toText]],
  ["user", ["user", toText]],
  ["password", ["password", toText]],
]);

const ESCAPE_HINT =
  "percent-encode : / ? # @ and % in the user, password and database";

function decode(text: string, where: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    // Without the cause: it could show the text, which may be a password.
    throw new ConfigError(
      `Cannot decode ${where}: a % is not followed by the hexadecimal digits of a character in UTF-8; write % as %25`,
    );
  }
}

/** Splits at the first occurrence; the second part is `undefined` where there is none. */
function split(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0
    ? [text, undefined]
    : [text.slice(0, at), text.slice(at + separator.length)];
}

/** Takes the scheme off. */
function withoutScheme(url: string, source: string): string {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):\/\/([^]*)$/i.exec(url) ?? [];
  const known = scheme?.toLowerCase();
  if (known === "postgres" || known === "postgresql") return rest;
  throw new ConfigError(
    scheme === undefined
      ? `Cannot read ${source}: it is no URL; begin it with postgresql://`
      : `Cannot read ${source}: unknown scheme ${scheme}://; begin it with postgresql://`,
  );
}

/**
 * Reads a connection URL.
 *
 * @example
 * ```ts
 * import { parseUrl } from "./url.ts";
 *
 * parseUrl("postgresql://ann@db.example:26257/shop?sslmode=verify-full", "url");
 * ```
 *
 * @param url The URL.
 * @param source What to call it in messages: `"url"`, `"DATABASE_URL"`.
 * @returns The settings that it gives; an empty part gives none.
 * @throws {ConfigError} Where it can't be read, has a parameter that isn't understood, or says two things of one setting.
 */
export function parseUrl(url: string, source: string): Settings {
  const address = withoutScheme(url.trim(), source);
  const end = address.search(/[/?]/);
  const authority = end < 0 ? address : address.slice(0, end);
  const tail = end < 0 ? "" : address.slice(end);
  const [path, query = ""] = split(tail, "?");
  const at = authority.lastIndexOf("@");
  // A raw @ further on means that a password with a raw / or ? was cut in two.
  if (path.includes("@") || (at < 0 && query.includes("@"))) {
    throw new ConfigError(
      `Cannot read ${source}: an @ stands after the host; ${ESCAPE_HINT}`,
    );
  }

  const settings: Settings = {};
  const origins = new Map<keyof Settings, string>();
  function set(key: keyof Settings, value: unknown, origin: string): void {
    if (value === "" || value === undefined) return;
    const before = origins.get(key);
    if (
      before !== undefined &&
      JSON.stringify(settings[key]) !== JSON.stringify(value)
    ) {
      throw new ConfigError(
        `Cannot use ${source}: its ${before} and its ${origin} differ; give one of them`,
      );
    }
    settings[key] = value as never;
    origins.set(key, origin);
  }

  const [user, password = ""] = split(authority.slice(0, Math.max(at, 0)), ":");
  set("user", part(user, "user"), "user");
  set("password", part(password, "password"), "password");
  const [host, port] = splitHost(authority.slice(at + 1), source);
  set(
    "host",
    host && toHost(part(host, "host"), `the host in ${source}`),
    "host",
  );
  set("port", port && toPort(port, `the port in ${source}`), "port");
  set("database", part(path.slice(1), "database"), "database");

  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const [name, value = ""] = split(pair, "=");
    const [key, read] = parameter(name, source);
    const text = decode(value, `the parameter ${name} in ${source}`);
    if (text === "") continue;
    set(
      key,
      read(text, `the parameter ${name} in ${source}`),
      `parameter ${name}`,
    );
  }
  return settings;

  function part(text: string, name: string): string {
    const where = `the ${name} in ${source}`;
    return toText(decode(text, where), where);
  }
}

/** Splits `host:port`, with an IPv6 host in brackets. */
function splitHost(text: string, source: string): [string, string | undefined] {
  if (text.includes(",")) {
    throw new ConfigError(
      `Cannot use ${source}: it names several hosts; give one, such as a load balancer's`,
    );
  }
  if (!text.startsWith("[")) return split(text, ":");
  const found = /^(\[[^\]]*\])(?::(.*))?$/.exec(text);
  if (found === null) {
    throw new ConfigError(
      `Cannot read the host in ${source}: write an IPv6 address as [::1] or [::1]:26257`,
    );
  }
  return [found[1], found[2]];
}

function parameter(name: string, source: string): [keyof Settings, Reader] {
  const known = PARAMETERS.get(name);
  if (known !== undefined) return known;
  // A name with other characters may be the rest of a password with a raw ?.
  if (!/^[\w.-]+$/.test(name)) {
    throw new ConfigError(
      `Cannot read the parameters of ${source}: one has no valid name; ${ESCAPE_HINT}`,
    );
  }
  throw new ConfigError(
    `Cannot use ${source}: unknown parameter "${name}"; use only ${
      [...PARAMETERS.keys()].join(", ")
    }`,
  );
}
