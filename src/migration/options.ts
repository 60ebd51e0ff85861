/**
 * What a {@linkcode Migration} and its runs may be told.
 *
 * @module
 */

import type { MigrationEvent } from "./events.ts";
import type { Strategy } from "./run.ts";
import type { MigrationSource } from "./source.ts";

/** Options of a {@linkcode Migration}. */
export interface MigrationOptions {
  /** The folder of the migrations. Default: `"./migrations"`. */
  migrationsDir?: string;
  /** Where the migrations come from, instead of a folder. */
  source?: MigrationSource;
  /** The table of applied migrations, also `schema.table`. Default: `"_migrations"`. */
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
