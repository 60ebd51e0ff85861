/**
 * Options, URL and environment to the one record that an adapter opens a session with. An explicit
 * option comes first, then the option `url` or else `DATABASE_URL`, then the `PG*` variables, then
 * `root@localhost:26257/defaultdb`.
 *
 * @module
 */

import { isIP } from "node:net";
import process from "node:process";
import { closest } from "../closest.ts";
import { ConfigError } from "../errors.ts";
import type { ConnectionConfig, TlsConfig } from "./driver.ts";
import {
  parseOptions,
  secondsToMilliseconds,
  type Settings,
  toHost,
  toMilliseconds,
  toPort,
  toSessionSettings,
  toSslMode,
  toText,
} from "./settings.ts";
import { redact } from "./shown.ts";
import { parseUrl } from "./url.ts";

/** Where to connect, as whom, and how. What is left out comes from elsewhere: see {@linkcode resolveConfig}. */
export interface ConnectionOptions extends Settings {
  /** `postgresql://user:password@host:port/database?…`. The other options go before its parts. */
  url?: string;
}

/** Reads a variable of the environment; `undefined` where it isn't set or mustn't be read. */
export type Environment = (name: string) => string | undefined;

type Reader = (value: unknown, where: string) => unknown;

const OPTIONS: Readonly<Record<keyof ConnectionOptions, Reader>> = {
  url: toText,
  host: toHost,
  port: toPort,
  database: toText,
  user: toText,
  password: toText,
  sslMode: toSslMode,
  sslRootCert: toText,
  sslCert: toText,
  sslKey: toText,
  applicationName: toText,
  sessionSettings: toSessionSettings,
  connectTimeoutMs: toMilliseconds,
};

/** The names of all {@linkcode ConnectionOptions}. */
export const CONNECTION_OPTION_NAMES: readonly (keyof ConnectionOptions)[] =
  Object.keys(OPTIONS) as (keyof ConnectionOptions)[];

const VARIABLES: Readonly<Record<keyof Settings, [string, Reader]>> = {
  host: ["PGHOST", toHost],
  port: ["PGPORT", toPort],
  database: ["PGDATABASE", toText],
  user: ["PGUSER", toText],
  password: ["PGPASSWORD", toText],
  sslMode: ["PGSSLMODE", toSslMode],
  sslRootCert: ["PGSSLROOTCERT", toText],
  sslCert: ["PGSSLCERT", toText],
  sslKey: ["PGSSLKEY", toText],
  applicationName: ["PGAPPNAME", toText],
  sessionSettings: [
    "PGOPTIONS",
    (value, where) => parseOptions(toText(value, where), where),
  ],
  connectTimeoutMs: ["PGCONNECT_TIMEOUT", secondsToMilliseconds],
};

const CERTIFICATES = ["sslRootCert", "sslCert", "sslKey"] as const;

/**
 * Refuses options that are no object of options or whose names aren't known, for callers whom no
 * compiler has checked.
 *
 * @param options The options as they were given.
 * @param known The names that there are.
 * @throws {ConfigError} Where there is another one; it is named, with the one probably meant.
 */
export function checkOptionNames(
  options: object,
  known: readonly string[],
): void {
  if (!isOptions(options)) {
    const hint = known.includes("url")
      ? ", or the address to Database.fromUrl(String(url))"
      : "";
    throw new ConfigError(
      `Cannot use ${kindOf(options)} as options: give an object, such as { ${
        known[0]
      }: … }${hint}`,
    );
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const meant = closest(unknown, known);
  throw new ConfigError(
    `Cannot use the option "${redact(unknown)}": unknown option; ${
      meant === undefined
        ? `use only ${known.join(", ")}`
        : `did you mean "${meant}"?`
    }`,
  );
}

/** Of a URL, a Map or a signal nothing would be read, and the defaults would be used in silence. */
function isOptions(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return false;
  }
  if (Object.keys(value).length > 0) return true;
  // Another realm has an Object.prototype of its own; nothing is behind that either.
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Never the value itself: it may be an address with a password. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object"
    ? `an instance of ${value.constructor?.name}`
    : `a ${typeof value}`;
}

function fromOptions(options: ConnectionOptions): Settings & { url?: string } {
  checkOptionNames(options, CONNECTION_OPTION_NAMES);
  const settings: Settings & { url?: string } = {};
  for (const name of CONNECTION_OPTION_NAMES) {
    if (options[name] === undefined) continue;
    const value = OPTIONS[name](options[name], `the option ${name}`);
    if (value !== "" || name === "url") settings[name] = value as never;
  }
  return settings;
}

/** Reads only the variables of settings that are still open, so that no other can be wrong. */
function fromEnvironment(environment: Environment, given: Settings): Settings {
  const settings: Settings = {};
  for (const key of Object.keys(VARIABLES) as (keyof Settings)[]) {
    const [name, read] = VARIABLES[key];
    const moot = given[key] !== undefined ||
      (given.sslMode === "disable" && CERTIFICATES.some((one) => one === key));
    const value = moot ? undefined : environment(name);
    if (value) settings[key] = read(value, name) as never;
  }
  return settings;
}

function isThisMachine(host: string): boolean {
  return host.startsWith("/") || host.toLowerCase() === "localhost" ||
    host === "::1" || (host.startsWith("127.") && isIP(host) === 4);
}

function tlsConfig(settings: Settings, host: string): TlsConfig {
  const { sslRootCert, sslCert, sslKey } = settings;
  const given = CERTIFICATES.find((name) => settings[name] !== undefined);
  const mode = settings.sslMode ??
    (isThisMachine(host) && given === undefined ? "disable" : "verify-full");
  if (mode === "disable") return { mode };
  if (sslRootCert === "system" && mode !== "verify-full") {
    throw new ConfigError(
      `Cannot use sslrootcert=system with sslmode=${mode}: anyone can get a certificate of a public authority; use sslmode=verify-full`,
    );
  }
  if ((sslCert === undefined) !== (sslKey === undefined)) {
    const [one, other] = sslKey === undefined
      ? ["sslcert", "sslkey"]
      : ["sslkey", "sslcert"];
    throw new ConfigError(
      `Cannot use ${one} without ${other}: a client certificate needs both; give ${other} too`,
    );
  }
  return {
    mode,
    ...(sslRootCert === undefined ? {} : { rootCert: sslRootCert }),
    ...(sslCert === undefined ? {} : { cert: sslCert, key: sslKey }),
  };
}

/**
 * Makes the record that an adapter opens a session with. Each setting is taken from the first that
 * gives it: an option, the option `url` (without it `DATABASE_URL`), a `PG*` variable, the default.
 * `sessionSettings` are merged over those of the URL or else of `PGOPTIONS`. An empty text gives nothing.
 *
 * @example
 * ```ts
 * import { resolveConfig } from "./config.ts";
 *
 * const config = resolveConfig({ database: "shop" });
 * // root@localhost:26257/shop
 * ```
 *
 * @param options The caller's options.
 * @param environment Reads a variable. Default: there are none.
 * @returns The record.
 * @throws {ConfigError} Where something is unknown, malformed or contradicts something else; the sentence names it, and never shows a password.
 */
export function resolveConfig(
  options: ConnectionOptions = {},
  environment: Environment = () => undefined,
): ConnectionConfig {
  const { url, ...own } = fromOptions(options);
  const variable = url === undefined ? environment("DATABASE_URL") : undefined;
  const address = url !== undefined
    ? parseUrl(url, "url")
    : variable
    ? parseUrl(variable, "DATABASE_URL")
    : {};
  const given: Settings = { ...address, ...own };
  const open = { ...given, sessionSettings: address.sessionSettings };
  const variables = fromEnvironment(environment, open);
  const settings = { ...variables, ...given };
  const {
    host = "localhost",
    port = 26257,
    database = "defaultdb",
    user = "root",
    password,
    applicationName = "crdb",
    connectTimeoutMs = 10_000,
  } = settings;
  return {
    host,
    port,
    database,
    user,
    ...(password === undefined ? {} : { password }),
    applicationName,
    sessionSettings: {
      ...variables.sessionSettings,
      ...address.sessionSettings,
      ...own.sessionSettings,
    },
    tls: tlsConfig(settings, host),
    connectTimeoutMs,
  };
}

/** Kept once it is granted: the runtime changes it when the permission is revoked. */
let environmentPermission: Deno.PermissionStatus | undefined;

/**
 * Gives the environment as far as the process may read it without asking. Under Deno a variable whose
 * permission isn't granted counts as not set, and no prompt appears.
 *
 * @returns A reader of variables.
 */
export function grantedEnvironment(): Environment {
  if (typeof Deno === "undefined") return (name) => process.env[name];
  // To ask for each variable would take most of the time that a client takes to be made.
  if (environmentPermission?.state !== "granted") {
    environmentPermission = Deno.permissions.querySync({ name: "env" });
  }
  const { state, partial } = environmentPermission;
  if (state === "granted" && !partial) return (name) => Deno.env.get(name);
  return (variable) => {
    const { state } = Deno.permissions.querySync({ name: "env", variable });
    return state === "granted" ? Deno.env.get(variable) : undefined;
  };
}
