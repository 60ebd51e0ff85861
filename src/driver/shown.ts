/**
 * What may be shown of a connection, in messages and to callers: never a password, nor a private key.
 *
 * @module
 */

import type { ConnectionConfig } from "./driver.ts";
import { isPem } from "./settings.ts";

const SECRETS: readonly [RegExp, string][] = [
  // A long word, such as a literal in a statement, is looked at once, and not from each of its letters.
  [/((?<![a-z0-9+.-])[a-z0-9+.-]+:\/\/[^\s:@/?#]*:)\S*@/gi, "$1***@"],
  [
    /(password["']?\s*[=:]\s*)("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/gi,
    "$1***",
  ],
  // CREATE ROLE … PASSWORD '…', in whichever quotes, and cut off or not; bounded, to be through at once.
  [
    /(password(?:\s|\/\*(?:[^*]|\*(?!\/)){0,100}\*\/|--[^\n]{0,100}\n){1,100}(?:e|u&)?)(?:'(?:[^'\\]|''|\\.)*'|'[^']*'?|\$(\w*)\$.*?(?:\$\2\$|$))/gis,
    "$1***",
  ],
  [/(password=)(?!\*\*\*)[^\s&]+/gi, "$1***"],
];

/**
 * Takes the passwords out of a text: those of URLs, what follows `password=`, `PGPASSWORD=` and the like,
 * and those of roles in SQL.
 *
 * @param text Any text, such as another program's error message.
 * @returns The text with `***` for each password.
 */
export function redact(text: string): string {
  return SECRETS.reduce(
    (rest, [pattern, shown]) => rest.replace(pattern, shown),
    text,
  );
}

/**
 * Names a server, a database and a user for messages; never the password.
 *
 * @param config The record.
 * @returns A text such as `root@localhost:26257/defaultdb`.
 */
export function describeConfig(
  config: Pick<ConnectionConfig, "host" | "port" | "database" | "user">,
): string {
  const { host, port, database, user } = config;
  const shown = /[:/]/.test(host) ? `[${host}]` : host;
  return `${user}@${shown}:${port}/${database}`;
}

/**
 * Says whether the setting of a private key is surely a path, and no key: key text without the lines
 * around it, in base64, neither begins like a path nor has a dot in it.
 *
 * @param source The setting.
 */
export function isKeyPath(source: string): boolean {
  return !isPem(source) && /^[/~\\]|\./.test(source) &&
    !/[\r\n]/.test(source);
}

/** Leaves out the password, and a private key unless it is the path of one. */
export function withoutSecrets(
  { password: _, tls, ...rest }: ConnectionConfig,
): Omit<ConnectionConfig, "password"> {
  const { key, ...open } = tls;
  const isPath = key !== undefined && isKeyPath(key);
  return { ...rest, tls: isPath ? { ...open, key } : open };
}
