/**
 * From the common options to the migrations of a database: permissions first, then the client,
 * which is closed whatever happens.
 *
 * @module
 */

import { Database } from "../database/database.ts";
import type { Driver } from "../driver/driver.ts";
import { ConfigError } from "../errors.ts";
import { Migration } from "../migration/migrator.ts";
import type { MigrationOptions } from "../migration/options.ts";
import type { Context } from "./command.ts";
import { addressing, assureNeeds, connecting, reading } from "./permissions.ts";
import type { Arguments } from "./values.ts";

/** The folder of the migrations. */
export function folderOf(args: Arguments): string {
  return args.text("dir") ?? "./migrations";
}

/** Options of {@linkcode withMigration}. */
export interface ConnectionOptions {
  /** Is told of the steps of a run. */
  readonly onEvent?: MigrationOptions["onEvent"];
  /** What is read: the files too, or the database alone. Default: `"files"`. */
  readonly reads?: "files" | "database";
}

/**
 * Runs `fn` with the migrations that the options name.
 *
 * @throws {ConfigError} Options that can't be used.
 * @throws {Deno.errors.NotCapable} A permission that isn't granted.
 */
export async function withMigration<T>(
  { args }: Context,
  options: ConnectionOptions,
  fn: (migration: Migration) => Promise<T>,
): Promise<T> {
  const { onEvent, reads = "files" } = options;
  const folder = folderOf(args);
  const url = args.text("url");
  const driver = await driverOf(args);
  const migrationOptions = {
    migrationsDir: folder,
    table: args.text("table"),
    lockTimeoutMs: args.duration("lock-timeout"),
    leaseMs: args.duration("lease"),
    allowOutOfOrder: args.has("allow-out-of-order"),
    onEvent,
  };
  const needs = reads === "files" ? [reading(folder)] : [];
  const unknown = url === undefined ? addressing() : undefined;
  if (unknown !== undefined) assureNeeds([unknown, ...needs]);
  await using db = new Database({ url, driver });
  assureNeeds([...connecting(db.config), ...needs]);
  return await fn(createMigration(db, migrationOptions));
}

function createMigration(db: Database, options: MigrationOptions): Migration {
  try {
    return new Migration(db, options);
  } catch (error) {
    // Here the options come from the command line, and so they are its usage.
    const { message } = error as Error;
    throw new ConfigError(message, { cause: error });
  }
}

async function driverOf(args: Arguments): Promise<Driver | undefined> {
  const name = args.oneOf("driver", ["deno-postgres", "pg"]);
  return name === "pg"
    ? (await import("../driver/pg.ts")).pgDriver()
    : undefined;
}
