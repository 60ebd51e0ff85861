/**
 * How a connection is configured: from a URL or from variables, with what is there by default.
 *
 * @module
 */

import { assertThrows } from "@std/assert";
import { resolveConfig } from "../../src/driver/config.ts";
import type { ConnectionConfig } from "../../src/driver/driver.ts";
import { ConfigError } from "../../src/errors.ts";

/** What a connection is where nothing is said of it. */
export const DEFAULTS: ConnectionConfig = {
  host: "localhost",
  port: 26257,
  database: "defaultdb",
  user: "root",
  applicationName: "crdb",
  sessionSettings: {},
  tls: { mode: "disable" },
  connectTimeoutMs: 10_000,
};

/** The configuration that a URL gives. */
export function fromUrl(url: string): ConnectionConfig {
  return resolveConfig({ url });
}

/** The configuration that environment variables give. */
export function fromVariables(
  variables: Record<string, string>,
): ConnectionConfig {
  return resolveConfig({}, (name) => variables[name]);
}

/** Gives the message of the error that a configuration is refused with. */
export function messageOf(fn: () => unknown): string {
  return assertThrows(fn, ConfigError).message;
}
