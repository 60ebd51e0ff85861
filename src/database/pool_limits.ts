/**
 * The limits of a pool: what callers give, checked and with the defaults.
 *
 * @module
 */

import { checkOptionNames } from "../driver/config.ts";
import { ConfigError } from "../errors.ts";

/** Limits of a pool. */
export interface PoolOptions {
  /** The most sessions open at once. Default: 10. */
  max?: number;
  /** How long a caller waits for a session, in milliseconds. Default: 30,000. */
  acquireTimeoutMs?: number;
  /** How long a session stays open unused, in milliseconds. Default: 60,000. */
  idleTimeoutMs?: number;
  /** How long a session lives, in milliseconds; each gets up to a tenth less. Default: 1,800,000. */
  maxLifetimeMs?: number;
}

const DEFAULTS: Required<PoolOptions> = {
  max: 10,
  acquireTimeoutMs: 30_000,
  idleTimeoutMs: 60_000,
  maxLifetimeMs: 1_800_000,
};

const NAMES = Object.keys(DEFAULTS) as (keyof PoolOptions)[];

/**
 * Refuses a time limit that is none.
 *
 * @throws {ConfigError} The limit, by its name.
 */
export function checkTimeLimit(name: string, value: unknown): void {
  if (typeof value === "number" && value > 0) return;
  throw new ConfigError(
    `Cannot use ${name} ${value}: give a number of milliseconds above 0`,
  );
}

/** How a pool is closed. */
export interface CloseOptions {
  /** How long to wait for the sessions in use, in milliseconds. Default: 10,000. */
  timeoutMs?: number;
}

/**
 * Refuses a time to wait that is none.
 *
 * @throws {ConfigError} The option, by its name.
 */
export function checkCloseOptions(options: CloseOptions): void {
  checkOptionNames(options, ["timeoutMs"]);
  const { timeoutMs } = options;
  if (timeoutMs !== undefined && timeoutMs !== 0) {
    checkTimeLimit("timeoutMs", timeoutMs);
  }
}

/**
 * Fills in the defaults.
 *
 * @throws {ConfigError} A limit that is unknown or not above 0.
 */
export function poolLimits(options: PoolOptions): Required<PoolOptions> {
  checkOptionNames(options, NAMES);
  const limits = { ...DEFAULTS };
  for (const name of NAMES) {
    const { [name]: value } = options;
    if (value === undefined) continue;
    if (!(Number.isFinite(value) && value > 0)) {
      throw new ConfigError(
        `Cannot make a pool with ${name} ${value}: give a number above 0`,
      );
    }
    limits[name] = value;
  }
  if (Number.isInteger(limits.max)) return limits;
  throw new ConfigError(
    `Cannot make a pool with max ${limits.max}: give a whole number`,
  );
}
