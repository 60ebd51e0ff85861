/**
 * How a transaction runs: what a caller may set, what is refused, and the BEGIN that says it.
 *
 * @module
 */

import { checkOptionNames } from "../driver/config.ts";
import type { Session } from "../driver/driver.ts";
import { checkSignal } from "../driver/limit.ts";
import { ConfigError } from "../errors.ts";
import { systemTime } from "./crud.ts";
import { checkTimeLimit } from "./pool_limits.ts";

/** How a transaction runs. */
export interface TransactionOptions {
  /** The isolation level. Default: `"serializable"`. */
  isolation?: "serializable" | "repeatable read" | "read committed";
  /** Whether writes are refused. */
  readOnly?: boolean;
  /** The priority among conflicting transactions (CockroachDB). */
  priority?: "low" | "normal" | "high";
  /** Reads the data as of this time: `"-10s"`, a timestamp, or `"follower_read_timestamp()"` (CockroachDB). */
  asOfSystemTime?: string;
  /** How often the callback is run again at most. Default: 50. */
  maxRetries?: number;
  /**
   * Cancels the statement under way, and the transaction. Where that is COMMIT, its outcome may be
   * unknown then.
   */
  signal?: AbortSignal;
  /**
   * The limit of each statement that has none of its own, BEGIN and COMMIT included, and of the waiting
   * for a connection, in milliseconds. Default: the database's `statementTimeoutMs`.
   */
  timeoutMs?: number;
  /**
   * A text, new for each transaction, by which the outcome of a lost COMMIT is looked up: a row of
   * the table `_crdb_tokens`, written with the transaction. Old rows (`committed_at`) may be deleted.
   */
  token?: string;
}

const LEVELS: Readonly<
  Record<NonNullable<TransactionOptions["isolation"]>, string>
> = {
  "serializable": "SERIALIZABLE",
  "repeatable read": "REPEATABLE READ",
  "read committed": "READ COMMITTED",
};
const PRIORITIES: Readonly<
  Record<NonNullable<TransactionOptions["priority"]>, string>
> = { low: "LOW", normal: "NORMAL", high: "HIGH" };
const OPTION_NAMES = [
  "isolation",
  "readOnly",
  "priority",
  "asOfSystemTime",
  "maxRetries",
  "signal",
  "timeoutMs",
  "token",
];

/**
 * Refuses what is unknown, for callers whom no compiler has checked.
 *
 * @throws {ConfigError} The option, by its name.
 */
export function checkTransactionOptions(options: TransactionOptions): void {
  checkOptionNames(options, OPTION_NAMES);
  const { maxRetries = 0, signal, timeoutMs, token = "a text" } = options;
  checkSignal(signal);
  if (typeof token !== "string" || token === "") {
    throw new ConfigError(
      "Cannot run a transaction with a token that is no text: give one, new for each transaction",
    );
  }
  if (timeoutMs !== undefined) checkTimeLimit("timeoutMs", timeoutMs);
  if (!(typeof maxRetries === "number" && maxRetries >= 0)) {
    throw new ConfigError(
      `Cannot run a transaction with maxRetries ${maxRetries}: give a number from 0`,
    );
  }
}

/**
 * Writes the statement that begins a transaction.
 *
 * @throws {ConfigError} An isolation level or a priority that is unknown.
 */
export function beginStatement(options: TransactionOptions): string {
  const { isolation = "serializable", readOnly, priority, asOfSystemTime } =
    options;
  const level = isolation.toLowerCase().replaceAll("_", " ");
  const modes = [`ISOLATION LEVEL ${chosen("isolation", level, LEVELS)}`];
  if (readOnly) modes.push("READ ONLY");
  if (priority) {
    modes.push(`PRIORITY ${chosen("priority", priority, PRIORITIES)}`);
  }
  if (asOfSystemTime) {
    modes.push(`AS OF SYSTEM TIME ${systemTime(asOfSystemTime)}`);
  }
  return `BEGIN ${modes.join(", ")}`;
}

/**
 * Refuses what PostgreSQL has no words for; its own error names neither option nor server.
 *
 * @throws {ConfigError} The option, by its name.
 */
export function checkServer(
  { parameters }: Session,
  { priority, asOfSystemTime }: TransactionOptions,
): void {
  if (parameters.crdb_version !== undefined) return;
  const name = priority !== undefined
    ? "priority"
    : asOfSystemTime !== undefined
    ? "asOfSystemTime"
    : undefined;
  if (name === undefined || parameters.server_version === undefined) return;
  throw new ConfigError(
    `Cannot begin a transaction with ${name}: only CockroachDB knows that, and this is PostgreSQL; leave it out`,
  );
}

function chosen(
  name: string,
  value: string,
  known: Readonly<Record<string, string>>,
): string {
  if (Object.hasOwn(known, value)) return known[value];
  throw new ConfigError(
    `Cannot begin a transaction with ${name} "${value}": give one of ${
      Object.keys(known).join(", ")
    }`,
  );
}
