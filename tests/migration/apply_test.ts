import { assert, assertEquals, assertRejects } from "@std/assert";
import { LeaseLostError, MigrationError } from "../../src/errors.ts";
import { journalTables } from "../../src/migration/journal.ts";
import { databaseTest } from "../support/database.ts";
import { withMigrations } from "../support/migrations.ts";

const POSTGRESQL = { on: ["postgresql"] } as const;
const TABLE = "CREATE TABLE t (id INT8 PRIMARY KEY);";

databaseTest(
  "a migration on PostgreSQL is one message, a comment at its end or not",
  (db) =>
    withMigrations(db, {
      "1_one.sql": "CREATE TABLE one (id INT8) -- the end",
      "2_two.sql": `${TABLE}\nINSERT INTO t VALUES (1)\n-- the end`,
    }, async (migration) => {
      assertEquals(await migration.migrate(), 2);
      assertEquals(await db.query("SELECT id FROM t"), [{ id: 1 }]);
    }),
  POSTGRESQL,
);

databaseTest(
  "the journal has how long the last statement took",
  (db) =>
    withMigrations(
      db,
      { "1_slow.sql": "SELECT pg_sleep(0.05)" },
      async (migration) => {
        await migration.migrate();
        const [{ duration_ms }] = await migration.getAppliedMigrations();
        assert(duration_ms! >= 50, `${duration_ms} ms`);
      },
    ),
  POSTGRESQL,
);

databaseTest(
  "a division by zero of the last statement is its own, not the lease's",
  (db) =>
    withMigrations(
      db,
      {
        "1_divide.sql":
          `${TABLE}\nINSERT INTO t SELECT 1 / id FROM (\n  SELECT 0) s (id)`,
      },
      async (migration) => {
        const error = await assertRejects(
          () => migration.migrate(),
          MigrationError,
          "1_divide.sql:2:1: division by zero (SQLSTATE 22012)",
        );
        assertEquals(error instanceof LeaseLostError, false);
        assertEquals(await db.exists("t"), false);
      },
    ),
  POSTGRESQL,
);

databaseTest(
  "what COMMIT refuses is told as that, and nothing is done",
  (db) =>
    withMigrations(db, {
      "1_defer.sql": `${TABLE}
        CREATE TABLE u (id INT8 REFERENCES t DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO u VALUES (7)`,
    }, async (migration) => {
      await assertRejects(
        () => migration.migrate(),
        MigrationError,
        "COMMIT, after the last statement: insert or update on table",
      );
      assertEquals([await db.exists("u"), await migration.isApplied("1")], [
        false,
        false,
      ]);
    }),
  POSTGRESQL,
);

databaseTest(
  "a lease that was lost meanwhile keeps the last statement from lasting",
  (db) =>
    withMigrations(db, {
      "1_take.sql": "UPDATE _migrations_journal SET fence = fence + 1",
    }, async (migration) => {
      await assertRejects(
        () => migration.migrate(),
        LeaseLostError,
        "another runner has taken the lease",
      );
      assertEquals(await migration.isApplied("1"), false);
      const { journal } = journalTables("_migrations");
      const [{ fence }] = await db.query(`SELECT fence FROM ${journal}`);
      assertEquals(fence, 1);
    }),
  POSTGRESQL,
);
