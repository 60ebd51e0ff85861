/**
 * Migrations at start-up, where many isolates start at once.
 *
 * @module
 */

import type { Database } from "../database/database.ts";
import { Migration } from "./migrator.ts";
import type { MigrationOptions } from "./options.ts";

/** Options of {@linkcode ensureMigrated}. */
export interface EnsureOptions extends Omit<MigrationOptions, "lockTimeoutMs"> {
  /** How long to wait for the isolate that migrates, in milliseconds. Default: 60,000. */
  deadlineMs?: number;
}

/**
 * Makes sure that all migrations are applied, and returns how many this call applied.
 *
 * Where nothing is pending that takes one round trip and no lock. Otherwise one of the callers
 * migrates and the others wait for it; where it dies, another takes over.
 *
 * @example
 * ```ts
 * import { bundle, Database, ensureMigrated } from "@x/crdb";
 *
 * await using db = new Database();
 * await ensureMigrated(db, {
 *   source: bundle([{
 *     name: "20230101120000_create_visits.sql",
 *     text: "CREATE TABLE visits (id INT PRIMARY KEY);\n-- @UNDO\nDROP TABLE visits;",
 *   }]),
 *   table: "_visits_migrations",
 * });
 * ```
 *
 * @throws {MigrationError} A problem, before anything is touched; or the statement that failed.
 * @throws {LockTimeoutError} Where the deadline passed while another isolate migrated.
 */
export async function ensureMigrated(
  db: Database,
  options: EnsureOptions = {},
): Promise<number> {
  const { deadlineMs, ...rest } = options;
  const limits = deadlineMs === undefined ? {} : { lockTimeoutMs: deadlineMs };
  return await new Migration(db, { ...rest, ...limits }).migrate();
}
