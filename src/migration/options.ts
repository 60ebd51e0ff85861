/**
 * What a {@linkcode Migration} and its runs may be told.
 *
 * @module
 */

import { checkOptionNames } from "../driver/config.ts";
import { checkSignal } from "../driver/limit.ts";
import { ConfigError, SqlTextError } from "../errors.ts";
import type { MigrationEvent } from "./events.ts";
import { journalTables } from "./journal.ts";
import type { Strategy } from "./run.ts";
import type { MigrationSource } from "./source.ts";

/** Options of a {@linkcode Migration}. */
export interface MigrationOptions {
  /** The folder of the migrations. Default: `"./migrations"`. */
  migrationsDir?: string;
  /** Where the migrations come from, instead of a folder. */
  source?: MigrationSource;
  /**
   * The table of applied migrations, also `schema.table`; on PostgreSQL its name has at most 61 bytes.
   * Default: `"_migrations"`.
   */
  table?: string;
  /** How long to wait for another runner, in milliseconds. Default: 60,000. */
  lockTimeoutMs?: number;
  /** How long the lease lasts when its holder falls silent, in milliseconds. Default: 15,000. */
  leaseMs?: number;
  /** Is told of every step; what it throws is ignored. */
  onEvent?: (event: MigrationEvent) => void;
  /** Whether versions below one that is applied may be pending. Default: `false`. */
  allowOutOfOrder?: boolean;
  /**
   * How the statements of a migration are kept together. Default: `"statements"` on CockroachDB,
   * `"transaction"` on PostgreSQL.
   */
  strategy?: Strategy;
}

/** How a run ends early. */
export interface RunOptions {
  /** Stops the run before its next statement; the one in flight is settled and noted. */
  signal?: AbortSignal;
  /** Cancels the statement in flight too. */
  cancelSignal?: AbortSignal;
}

/** Options of {@linkcode Migration.migrate}. */
export interface MigrateOptions extends RunOptions {
  /** Up to and including this version. Default: all. */
  targetVersion?: string;
  /** Only counts what would be applied. */
  dryRun?: boolean;
}

/** Options of {@linkcode Migration.rollback}. */
export interface RollbackOptions extends RunOptions {
  /** How many migrations, newest first; `Infinity` for all. Default: 1. */
  count?: number;
  /** Down to this version, which stays applied. */
  targetVersion?: string;
  /** Only counts what would be undone. */
  dryRun?: boolean;
}

const MIN_LEASE_MS = 3_000;
const MAX_LEASE_MS = 86_400_000;
const MIGRATION_OPTIONS = [
  ...["migrationsDir", "source", "table", "lockTimeoutMs", "leaseMs"],
  ...["onEvent", "allowOutOfOrder", "strategy"],
];
const RUN_OPTIONS = ["signal", "cancelSignal"];
const MIGRATE_OPTIONS = ["targetVersion", "dryRun", ...RUN_OPTIONS];
const ROLLBACK_OPTIONS = ["count", ...MIGRATE_OPTIONS];

/**
 * Refuses what can't work, before anything is read.
 *
 * @throws {RangeError} A lease of less than 3,000 ms, or of more than a day.
 * @throws {ConfigError} An unknown option, a table whose name can't be read.
 */
export function checkMigrationOptions(options: MigrationOptions): void {
  checkOptionNames(options, MIGRATION_OPTIONS);
  const { leaseMs, lockTimeoutMs, table = "_migrations" } = options;
  if (leaseMs !== undefined && !(leaseMs >= MIN_LEASE_MS)) {
    throw new RangeError(
      `Cannot use a lease of ${leaseMs} ms: clocks of nodes differ; give ${MIN_LEASE_MS} or more`,
    );
  }
  if (leaseMs !== undefined && leaseMs > MAX_LEASE_MS) {
    throw new RangeError(
      `Cannot use a lease of ${leaseMs} ms: it has to end; give ${MAX_LEASE_MS} or less`,
    );
  }
  if (lockTimeoutMs !== undefined) checkWait("lockTimeoutMs", lockTimeoutMs);
  try {
    journalTables(table);
  } catch (error) {
    if (!(error instanceof SqlTextError)) throw error;
    throw new ConfigError(
      `Cannot use "${table}" as the option table: ${error.problem}`,
      { cause: error },
    );
  }
}

/**
 * Says where new migrations are written.
 *
 * @throws {ConfigError} Where the migrations come from a source, and no folder is named beside it.
 */
export function folderForNew(
  { source, migrationsDir }: MigrationOptions,
): string {
  if (source === undefined || migrationsDir !== undefined) {
    return migrationsDir ?? "./migrations";
  }
  throw new ConfigError(
    "Cannot create a migration: the migrations come from a source, which would not have it; name its folder in migrationsDir",
  );
}

/**
 * Refuses what `ensureMigrated()` doesn't know; the rest is the migrations' to refuse.
 *
 * @throws {ConfigError} An unknown option.
 * @throws {RangeError} A deadline that is none.
 */
export function checkEnsureOptions(options: { deadlineMs?: number }): void {
  const names = MIGRATION_OPTIONS.filter((name) => name !== "lockTimeoutMs");
  checkOptionNames(options, [...names, "deadlineMs"]);
  const { deadlineMs } = options;
  if (deadlineMs !== undefined) checkWait("deadlineMs", deadlineMs);
}

/**
 * Refuses a time to wait that is none.
 *
 * @throws {RangeError} The option, by its name.
 */
export function checkWait(name: string, ms: unknown): void {
  if (typeof ms === "number" && ms >= 0) return;
  throw new RangeError(
    `Cannot wait for a ${name} of ${ms}: give a number of milliseconds from 0`,
  );
}

/** Refuses what {@linkcode Migration.migrate} doesn't know: a target by another name is no target. */
export function checkMigrateOptions(options: MigrateOptions): void {
  checkOptionNames(options, MIGRATE_OPTIONS);
  checkSignals(options);
  checkVersion(options.targetVersion);
}

/** Refuses what {@linkcode Migration.redo} doesn't know. */
export function checkRunOptions(options: RunOptions): void {
  checkOptionNames(options, RUN_OPTIONS);
  checkSignals(options);
}

function checkSignals({ signal, cancelSignal }: RunOptions): void {
  checkSignal(signal);
  checkSignal(cancelSignal, "cancelSignal");
}

/**
 * Refuses what a plan doesn't know.
 *
 * @param names The names of those that it knows.
 */
export function checkPlanOptions(
  options: { targetVersion?: string },
  names: readonly string[],
): void {
  checkOptionNames(options, names);
  checkVersion(options.targetVersion);
}

/** Refuses a version that is none; one that is left out is none to refuse. */
export function checkVersion(version: unknown, name = "targetVersion"): void {
  if (version === undefined || typeof version === "string") return;
  throw new TypeError(
    `Cannot use ${version} as the ${name}: a version is text; give "${version}"`,
  );
}

/**
 * Refuses what {@linkcode Migration.rollback} doesn't know, and what contradicts itself.
 *
 * @throws {TypeError} A count beside a version.
 */
export function checkRollbackOptions(options: RollbackOptions): void {
  checkOptionNames(options, ROLLBACK_OPTIONS);
  checkSignals(options);
  const { count, targetVersion } = options;
  checkVersion(targetVersion);
  if (count !== undefined && targetVersion !== undefined) {
    throw new TypeError(
      "Cannot roll back by count and to a version at once: give one of them",
    );
  }
}
