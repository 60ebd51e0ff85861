/**
 * A client of CockroachDB, and migrations that are right on it.
 *
 * @example
 * ```ts
 * import { Database, Migration } from "@x/crdb";
 *
 * await using db = new Database();
 * const migration = new Migration(db, { migrationsDir: await Deno.makeTempDir() });
 * await migration.createMigration(
 *   "create users table",
 *   "CREATE TABLE users (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), name TEXT NOT NULL)",
 *   "DROP TABLE users",
 * );
 * await migration.migrate();
 * const ada = await db.insert("users", { name: "Ada" });
 * console.log(ada.id);
 * await migration.rollback();
 * ```
 *
 * @module
 */

export {
  Database,
  Database as AsyncDatabase,
} from "./src/database/database.ts";
export type { ServerInfo } from "./src/database/server_info.ts";
export type { DatabaseOptions } from "./src/database/options.ts";
export type { QueryEvent } from "./src/database/observer.ts";
export type { PagesOptions } from "./src/database/pages.ts";
export { Table } from "./src/database/table.ts";
export { Transaction } from "./src/database/transaction.ts";
export type { TransactionOptions } from "./src/database/transaction_options.ts";
export type { QueryOptions } from "./src/database/limits.ts";
export { Queries, type StreamQueryOptions } from "./src/database/queries.ts";
export { RowQueries } from "./src/database/rows.ts";
export {
  type BatchInsertOptions,
  type BatchKeyOptions,
  BatchQueries,
} from "./src/database/batches.ts";
export type { BatchOptions } from "./src/database/batch.ts";
export type {
  AllOptions,
  CountOptions,
  Row,
  SelectOptions,
} from "./src/database/crud.ts";
export type { Comparison, Operator, Where } from "./src/database/conditions.ts";
export type { RowInput } from "./src/database/row_input.ts";
export type { CloseOptions, PoolOptions } from "./src/database/pool_limits.ts";
export {
  json,
  JsonValue,
  type ResultTypes,
  type ValueOptions,
} from "./src/database/values.ts";
export type { ConnectionOptions } from "./src/driver/config.ts";
export type { Settings } from "./src/driver/settings.ts";
export type {
  CallOptions,
  Column,
  ConnectionConfig,
  Driver,
  QueryResult,
  RowBatch,
  RowSink,
  Session,
  SessionQueryOptions,
  SslMode,
  StatementOptions,
  StreamOptions,
  TextRow,
  TlsConfig,
  TransactionStatus,
  WireFields,
} from "./src/driver/driver.ts";
export {
  AmbiguousCommitError,
  ConfigError,
  DatabaseError,
  type DatabaseErrorOptions,
  type ErrorKind,
  errorKind,
  LeaseLostError,
  LockTimeoutError,
  MigrationError,
  type MigrationErrorOptions,
  SqlTextError,
} from "./src/errors.ts";
export {
  Migration,
  Migration as AsyncMigration,
} from "./src/migration/migrator.ts";
export type {
  MigrateOptions,
  MigrationOptions,
  RollbackOptions,
  RunOptions,
} from "./src/migration/options.ts";
export { ensureMigrated, type EnsureOptions } from "./src/migration/ensure.ts";
export type {
  Blocker,
  Holder,
  MigrationEvent,
  StatementPlace,
} from "./src/migration/events.ts";
export type { Backfill, Directives } from "./src/migration/directive.ts";
export type {
  MigrationEntry,
  MigrationFile,
  MigrationStatement,
} from "./src/migration/file.ts";
export type {
  AppliedMigration,
  Direction,
  Intent,
  Progress,
} from "./src/migration/journal.ts";
export type { Plan } from "./src/migration/plan.ts";
export type { Answer } from "./src/migration/corrections.ts";
export type {
  PlannedMigration,
  PlannedStatement,
} from "./src/migration/planned.ts";
export type { Problem } from "./src/migration/problems.ts";
export type { Strategy } from "./src/migration/run.ts";
export {
  bundle,
  directory,
  type MigrationSource,
} from "./src/migration/source.ts";
export type { StatementKind } from "./src/migration/statement.ts";
export type { MigrationStatus } from "./src/migration/status.ts";
export { Identifier, identifier } from "./src/database/template.ts";
