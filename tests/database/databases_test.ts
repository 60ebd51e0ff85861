/**
 * Databases that are made and dropped on a server.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import { DatabaseError } from "../../src/errors.ts";
import { databaseTest } from "../support/database.ts";

/** A name that no other test uses, on the server itself. */
function freshName(): string {
  return `crdb "test" ${crypto.randomUUID().slice(0, 8)}`;
}

databaseTest(
  "Database.createDatabase() and dropDatabase() take hostile names, and their options",
  async (db, { options }) => {
    const name = freshName();
    await db.createDatabase(name);
    try {
      const error = await assertRejects(
        () => db.createDatabase(name),
        DatabaseError,
      );
      assertEquals(error.code, "42P04");
      await db.createDatabase(name, { ifNotExists: true });
      const other = new Database({ ...options, database: name });
      await other.createTable("t", { id: "INT" });
      await other.close();
    } finally {
      await db.dropDatabase(name, { cascade: true });
    }
    await assertRejects(() => db.dropDatabase(name), DatabaseError);
    await db.dropDatabase(name, { ifExists: true, cascade: true });
  },
);

databaseTest(
  "Database.createDatabase() may be called by many at once where ifNotExists is said",
  async (db) => {
    const name = freshName();
    await Promise.all(
      Array.from(
        { length: 4 },
        () => db.createDatabase(name, { ifNotExists: true }),
      ),
    );
    await db.dropDatabase(name);
  },
);

databaseTest(
  "Database.dropDatabase() refuses to drop what is in one where cascade is false",
  async (db) => {
    const name = `${db.config.database}_full`;
    await db.createDatabase(name);
    await db.execute(`CREATE TABLE ${name}.public.t (id INT PRIMARY KEY)`);
    const error = await assertRejects(
      () => db.dropDatabase(name, { cascade: false }),
      DatabaseError,
    );
    assertEquals(error.code, "2BP01");
    await db.dropDatabase(name);
  },
  { on: ["cockroachdb"] },
);
