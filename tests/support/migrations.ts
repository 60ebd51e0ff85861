/**
 * Migrations for tests: a folder of files that goes when the test is over.
 *
 * @module
 */

import type { Database } from "../../src/database/database.ts";
import { journalTables } from "../../src/migration/journal.ts";
import { progressWrite } from "../../src/migration/journal_notes.ts";
import { Migration } from "../../src/migration/migrator.ts";
import type { MigrationOptions } from "../../src/migration/options.ts";
import { statementHash } from "../../src/migration/section.ts";

/** Three migrations that can be undone. */
export const THREE = {
  "1_create_a.sql":
    "CREATE TABLE a (id INT PRIMARY KEY);\n-- @UNDO\nDROP TABLE a;",
  "2_create_b.sql":
    "CREATE TABLE b (id INT PRIMARY KEY);\n-- @UNDO\nDROP TABLE b;",
  "3_fill_b.sql":
    "INSERT INTO b VALUES (1), (2);\n-- @UNDO\nDELETE FROM b WHERE true;",
};

/** Runs `fn` with a folder that holds these files. */
export async function withFolder<T>(
  files: Record<string, string>,
  fn: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    return await fn(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs `fn` with the migrations of a folder that holds these files. */
export function withMigrations<T>(
  db: Database,
  files: Record<string, string>,
  fn: (migration: Migration, folder: string) => Promise<T>,
  options: MigrationOptions = {},
): Promise<T> {
  return withFolder(
    files,
    (folder) =>
      fn(new Migration(db, { migrationsDir: folder, ...options }), folder),
  );
}

/**
 * Applies the first of {@linkcode THREE}, and leaves what a run leaves that is lost after it has sent
 * the second one's statement, `CREATE TABLE b (id INT PRIMARY KEY)`.
 */
export async function leaveIntent(
  db: Database,
  migration: Migration,
): Promise<void> {
  await migration.migrate({ targetVersion: "1" });
  await noteIntent(db, {
    version: "2",
    statement: "CREATE TABLE b (id INT PRIMARY KEY)",
    predicate: "false",
  });
}

/** Leaves what a run leaves that is lost after it has sent a migration's first statement. */
export async function noteIntent(
  db: Database,
  intent: { version: string; statement: string; predicate?: string },
): Promise<void> {
  const { version, statement, predicate } = intent;
  const tables = journalTables("_migrations");
  const [{ fence }] = await db.query<{ fence: number }>(
    `SELECT fence FROM ${tables.journal}`,
  );
  const note = {
    version,
    direction: "up",
    done: [],
    cursor: null,
    error: null,
    intent: { ordinal: 0, hash: statementHash(statement), predicate },
  } as const;
  await db.query(progressWrite(tables, String(fence), note));
}
