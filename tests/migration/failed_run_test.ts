/**
 * What ends a run: statements that fail, limits that are too short, and files that have changed.
 *
 * @module
 */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { MigrationError } from "../../src/errors.ts";
import { Migration } from "../../src/migration/migrator.ts";
import { bundle } from "../../src/migration/source.ts";
import { databaseTest, EVERYWHERE } from "../support/database.ts";
import { THREE, withMigrations } from "../support/migrations.ts";

databaseTest(
  "a statement that fails is reported with its place, and nothing of it is recorded",
  async (db) => {
    const files = {
      "1_create_a.sql": "CREATE TABLE a (id INT PRIMARY KEY);",
      "2_break.sql":
        "-- a comment\nINSERT INTO a VALUES (1);\nINSERT INTO a\n  VALUES (2, 'x', missing);\n",
    };
    await withMigrations(db, files, async (migration, folder) => {
      const error = await assertRejects(
        () => migration.migrate(),
        MigrationError,
      );
      assertMatch(
        error.message,
        new RegExp(`^Cannot apply ${folder}/2_break\\.sql:[34]:\\d+: `),
      );
      assertMatch(error.message, /\^/);
      assertMatch(error.message, /the migration is not applied/);
      assertEquals(error.version, "2");
      assertEquals(await migration.isApplied("1"), true);
      assertEquals(await migration.isApplied("2"), false);
      assertEquals(await db.query`SELECT version FROM _migrations`, [{
        version: "1",
      }]);

      await Deno.writeTextFile(
        `${folder}/2_break.sql`,
        "-- a comment\nINSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2);\n",
      );
      assertEquals(await migration.migrate(), 1);
      assertEquals(await db.count("a"), 2);
    });
  },
  EVERYWHERE,
);

databaseTest(
  "on CockroachDB the statements before a failed one stay done, and may not change",
  async (db) => {
    const files = {
      "1_half.sql":
        "CREATE TABLE a (id INT PRIMARY KEY);\nINSERT INTO a VALUES (1);\nSELECT nonsense();",
    };
    await withMigrations(db, files, async (migration, folder) => {
      const error = await assertRejects(
        () => migration.migrate(),
        MigrationError,
      );
      assertMatch(
        error.message,
        /Statements 1 to 2 are done and noted, the rest is not; the migration is not applied\. Mend the file from statement 3 on, and run migrate again\.$/,
      );
      const [status] = await migration.status();
      assertEquals([status.state, status.applied, status.done], [
        "half-applied",
        false,
        2,
      ]);
      assertEquals((await migration.verify()).map(({ type }) => type), [
        "half-applied",
      ]);

      await Deno.writeTextFile(
        `${folder}/1_half.sql`,
        "CREATE TABLE b (id INT PRIMARY KEY);",
      );
      await assertRejects(
        () => migration.migrate(),
        MigrationError,
        "statement 1 was edited or removed after it was done",
      );
      await Deno.writeTextFile(
        `${folder}/1_half.sql`,
        "CREATE TABLE a (id INT PRIMARY KEY);\nINSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2);",
      );
      assertEquals(await migration.migrate(), 1);
      assertEquals(await db.count("a"), 2);
      assertEquals(await migration.verify(), []);
    });
  },
  { on: ["cockroachdb"] },
);

databaseTest(
  "an edited file stops a run before anything is touched",
  async (db) => {
    await withMigrations(db, THREE, async (migration, folder) => {
      await migration.migrate({ targetVersion: "1" });
      await Deno.writeTextFile(
        `${folder}/1_create_a.sql`,
        "CREATE TABLE a (id INT8 PRIMARY KEY);",
      );
      await assertRejects(
        () => migration.migrate(),
        MigrationError,
        "was edited after it was applied",
      );
      assertEquals((await migration.verify()).map(({ type }) => type), [
        "edited",
      ]);
      assertEquals(await db.exists("b"), false);
    });
  },
);

databaseTest(
  "a time limit that is too short is raised in the file",
  async (db) => {
    const files = { "1_slow.sql": "-- @TIMEOUT 300ms\nSELECT pg_sleep(20);" };
    await withMigrations(db, files, async (migration, folder) => {
      const error = await assertRejects(
        () => migration.migrate(),
        MigrationError,
      );
      assertEquals(
        error.message.split("\n")[0],
        `Cannot apply ${folder}/1_slow.sql:2:1: Cannot finish the statement within 300 ms: it was cancelled; ` +
          "raise its -- @TIMEOUT, or shorten the statement (SQLSTATE 57014)",
      );
    });
  },
);

databaseTest(
  "migrate() tells the first of many problems, and how many more there are",
  async (db) => {
    const entries = Array.from({ length: 23 }, (_, index) => ({
      name: `${index + 1}_step.sql`,
      text: `SELECT ${index};`,
    }));
    await new Migration(db, { source: bundle(entries) }).migrate();
    const { message } = await assertRejects(
      () => new Migration(db, { source: bundle([]) }).migrate(),
      MigrationError,
    );
    const lines = message.split("\n");
    assertEquals(lines.length, 21);
    assertMatch(lines[19], /^The file of the applied migration 20 \(step\)/);
    assertEquals(lines[20], "and 3 more; verify names them all");
  },
);
