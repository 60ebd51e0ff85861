/**
 * A fresh database for a test: made before it, dropped when it passes, kept and named when it fails.
 *
 * @module
 */

import { Database } from "./database/database.ts";
import type { DatabaseOptions } from "./database/options.ts";

/** What belongs to a test's database. */
export interface FreshDatabase {
  /** The database's name. */
  readonly name: string;
  /** Options that lead a further `Database` to it. */
  readonly options: DatabaseOptions;
}

/**
 * Runs `fn` with a `Database` on a fresh, empty database.
 *
 * The database is dropped when `fn` has succeeded. When it fails, the database stays for a look at
 * it, and the error names it.
 *
 * @example
 * ```ts
 * import { withDatabase } from "@x/crdb/testing";
 *
 * await withDatabase(async (db) => {
 *   await db.createTable("users", { id: "UUID PRIMARY KEY DEFAULT gen_random_uuid()", name: "TEXT" });
 *   await db.insert("users", { name: "Ada" });
 *   if (await db.count("users") !== 1) throw new Error("Ada is missing");
 * });
 * ```
 *
 * @param fn The test. It needn't close the `Database`.
 * @param options Where the server is, as for `Database`; the user has to be allowed to make databases.
 * @throws {Error} What `fn` threw is its `cause`.
 */
export async function withDatabase<T>(
  fn: (db: Database, fresh: FreshDatabase) => Promise<T>,
  options: DatabaseOptions = {},
): Promise<T> {
  const name = `crdb_test_${
    crypto.randomUUID().replaceAll("-", "").slice(0, 12)
  }`;
  await using admin = new Database({ ...options, pool: { max: 1 } });
  await admin.createDatabase(name);
  const own = { ...options, database: name };
  const db = new Database(own);
  let result: T;
  try {
    result = await fn(db, { name, options: own });
  } catch (error) {
    await db.close();
    const { host, port } = admin.config;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${reason}\nThe test's database "${name}" on ${host}:${port} is kept.`,
      {
        cause: error,
      },
    );
  }
  await db.close();
  await admin.dropDatabase(name, { cascade: true });
  return result;
}
