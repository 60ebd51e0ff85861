/**
 * What a caller may set for a `Database`, and what is refused.
 *
 * @module
 */

import {
  checkOptionNames,
  CONNECTION_OPTION_NAMES,
  type ConnectionOptions,
} from "../driver/config.ts";
import type { Driver } from "../driver/driver.ts";
import { ConfigError } from "../errors.ts";
import type { QueryEvent } from "./observer.ts";
import { checkTimeLimit, type PoolOptions } from "./pool_limits.ts";

/** Options of a {@linkcode Database}. */
export interface DatabaseOptions extends ConnectionOptions {
  /** Limits of the pool. */
  pool?: PoolOptions;
  /** Cancels every statement, or stream, that takes longer, in milliseconds. Default: no limit. */
  statementTimeoutMs?: number;
  /** What opens the connections. Default: deno-postgres; `pgDriver()` of `@x/crdb/pg` is another. */
  driver?: Driver;
  /** What INT8 becomes. Default: `"auto"`, a number where it is exact, else a bigint. */
  int8?: "auto" | "bigint" | "string";
  /** What TIMESTAMP and TIMESTAMPTZ become. Default: `"date"`. */
  timestamps?: "date" | "temporal" | "string";
  /** Is told of every statement when it has ended. What it throws is reported as uncaught. */
  onQuery?: (event: QueryEvent) => void;
}

const OPTIONS = [
  ...CONNECTION_OPTION_NAMES,
  "pool",
  "statementTimeoutMs",
  "driver",
  "int8",
  "timestamps",
  "onQuery",
];

const CHOICES: { [name in "int8" | "timestamps"]: readonly string[] } = {
  int8: ["auto", "bigint", "string"],
  timestamps: ["date", "temporal", "string"],
};

/**
 * Refuses what is unknown, for callers whom no compiler has checked. The connection's options are
 * checked where they are resolved.
 *
 * @throws {ConfigError} The option, and what it may be.
 */
export function checkOptions(options: DatabaseOptions): void {
  checkOptionNames(options, OPTIONS);
  for (const name of ["int8", "timestamps"] as const) {
    const { [name]: value } = options;
    if (value === undefined || CHOICES[name].includes(value)) continue;
    throw new ConfigError(
      `Cannot use ${name} "${value}": give one of ${CHOICES[name].join(", ")}`,
    );
  }
  const { statementTimeoutMs, driver, onQuery } = options;
  if (statementTimeoutMs !== undefined) {
    checkTimeLimit("statementTimeoutMs", statementTimeoutMs);
  }
  if (driver !== undefined && typeof driver?.connect !== "function") {
    throw new ConfigError(
      "Cannot use the option driver: it can't connect; give what pgDriver() returns, or leave it out",
    );
  }
  if (onQuery !== undefined && typeof onQuery !== "function") {
    throw new ConfigError(
      "Cannot use the option onQuery: it is no function; give one that takes an event",
    );
  }
}
