/**
 * Migrations that are applied, planned, noted and asked about.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { MigrationError } from "../../src/errors.ts";
import { Migration } from "../../src/migration/migrator.ts";
import { bundle } from "../../src/migration/source.ts";
import { databaseTest, EVERYWHERE } from "../support/database.ts";
import { THREE, withMigrations } from "../support/migrations.ts";

databaseTest(
  "migrate() applies what is pending, and then has nothing to do",
  async (db) => {
    await withMigrations(db, THREE, async (migration) => {
      assertEquals(await migration.migrate(), 3);
      assertEquals(await migration.migrate(), 0);
      assertEquals(await db.count("b"), 2);
      assertEquals(await migration.getCurrentVersion(), "3");
      assertEquals(
        (await migration.getAppliedMigrations()).map((
          { version, description },
        ) => [version, description]),
        [["1", "create a"], ["2", "create b"], ["3", "fill b"]],
      );
    });
  },
  EVERYWHERE,
);

databaseTest("migrate() goes up to its target, and includes it", async (db) => {
  await withMigrations(db, THREE, async (migration) => {
    assertEquals(await migration.migrate({ targetVersion: "2" }), 2);
    assertEquals(await migration.isApplied("2"), true);
    assertEquals(await migration.isApplied("3"), false);
    assertEquals(await migration.getCurrentVersion(), "2");
  });
});

databaseTest("migrate() with dryRun counts and touches nothing", async (db) => {
  await withMigrations(db, THREE, async (migration) => {
    assertEquals(await migration.migrate({ dryRun: true }), 3);
    for (
      const table of [
        "a",
        "_migrations",
        "_migrations_journal",
        "_migrations_lease",
      ]
    ) {
      assertEquals(await db.exists(table), false);
    }
  });
});

databaseTest("getCurrentVersion() is null on an empty database", async (db) => {
  await withMigrations(db, THREE, async (migration) => {
    assertEquals(await migration.getCurrentVersion(), null);
    assertEquals(await migration.getAppliedMigrations(), []);
    assertEquals(await migration.isApplied("1"), false);
    assertEquals(await migration.rollback(), 0);
  });
});

databaseTest(
  "a table that the Python client made is taken over in place",
  async (db) => {
    await db.execute(
      "CREATE TABLE _migrations (version VARCHAR(255) PRIMARY KEY, description VARCHAR(255) NOT NULL, applied_at TIMESTAMP DEFAULT now())",
    );
    await db.execute("CREATE TABLE a (id INT PRIMARY KEY)");
    await db.execute(
      "INSERT INTO _migrations (version, description) VALUES ('1', 'create a')",
    );
    await withMigrations(db, THREE, async (migration) => {
      assertEquals(await migration.isApplied("1"), true);
      assertEquals((await migration.status()).map(({ state }) => state), [
        "applied",
        "pending",
        "pending",
      ]);
      assertEquals(await migration.migrate(), 2);
      assertEquals(await migration.getCurrentVersion(), "3");
      assertEquals(await migration.rollback({ count: 3 }), 3);
    });
  },
);

databaseTest(
  "baseline() notes migrations as applied without running them",
  async (db) => {
    await withMigrations(db, THREE, async (migration) => {
      assertEquals(await migration.baseline("2"), 2);
      assertEquals(await db.exists("a"), false);
      assertEquals((await migration.status()).map(({ state }) => state), [
        "applied",
        "applied",
        "pending",
      ]);
      await assertRejects(
        () => migration.baseline("7"),
        MigrationError,
        "Cannot take 7 as the baseline: no file has that version; the newest is 3",
      );
    });
  },
);

databaseTest(
  "the journal may live in another schema, and SET search_path doesn't move it",
  async (db) => {
    await db.execute("CREATE SCHEMA ops");
    await db.execute("CREATE SCHEMA other");
    const files = {
      "1_elsewhere.sql":
        "SET search_path = other;\nCREATE TABLE c (id INT PRIMARY KEY);\nINSERT INTO c VALUES (1);",
      "2_here.sql": "CREATE TABLE d (id INT PRIMARY KEY);",
    };
    for (const table of ["ops._migrations", "_migrations"]) {
      await withMigrations(db, files, async (migration) => {
        assertEquals(await migration.migrate(), 2);
        assertEquals(await migration.getCurrentVersion(), "2");
        assertEquals(await db.exists("other.c"), true);
        assertEquals(await db.exists("public.d"), true);
        assertEquals(await db.exists(table), true);
      }, { table });
      await db.execute("DROP TABLE other.c, d");
    }
    assertEquals(await db.exists("other._migrations"), false);
  },
);

databaseTest(
  "migrate() begins anew where the table of applied migrations was dropped, whatever a run had left",
  async (db) => {
    const migration = (second: string) =>
      new Migration(db, {
        source: bundle([{
          name: "1_a.sql",
          text: `CREATE TABLE a (id INT PRIMARY KEY);\n${second};`,
        }]),
        strategy: "statements",
      });
    await assertRejects(
      () => migration("INSERT INTO nowhere VALUES (1)").migrate(),
      MigrationError,
    );
    await db.dropTable("a");
    await db.dropTable("_migrations");
    const mended = migration("INSERT INTO a VALUES (1)");
    const { migrations: [planned] } = await mended.plan();
    assertEquals([planned.done, planned.statements.length], [0, 2]);
    assertEquals(await mended.migrate(), 1);
    assertEquals(await db.count("a"), 1);
    assertEquals(await mended.verify(), []);
  },
  EVERYWHERE,
);

databaseTest(
  "plan() gives the kind of each statement in a copy and in JSON, too",
  async (db) => {
    await withMigrations(db, THREE, async (migration) => {
      const { migrations: [first] } = JSON.parse(
        JSON.stringify(await migration.plan()),
      );
      const { kind, verb, transactional } = first.statements[0];
      assertEquals([kind, verb, transactional], ["ddl", "CREATE TABLE", true]);
    });
  },
);
