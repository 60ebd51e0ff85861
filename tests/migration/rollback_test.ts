/**
 * Migrations that are undone: `rollback()`, `redo()` and `reset()`.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { LockTimeoutError, MigrationError } from "../../src/errors.ts";
import { Migration } from "../../src/migration/migrator.ts";
import type { MigrationOptions } from "../../src/migration/options.ts";
import { bundle } from "../../src/migration/source.ts";
import { databaseTest, EVERYWHERE } from "../support/database.ts";
import { THREE, withMigrations } from "../support/migrations.ts";

databaseTest(
  "rollback() undoes the newest, and applied_at tells when it was applied",
  async (db) => {
    await withMigrations(db, THREE, async (migration) => {
      const before =
        (await db.queryOne<{ now: Date }>`SELECT now() AS now`)!.now;
      await migration.migrate();
      assertEquals(await migration.rollback(), 1);
      assertEquals(await db.count("b"), 0);
      const applied = await migration.getAppliedMigrations();
      assertEquals(applied.map(({ version }) => version), ["1", "2"]);
      assert(
        applied.every(({ applied_at }) =>
          applied_at.getTime() >= before.getTime()
        ),
      );
    });
  },
  EVERYWHERE,
);

databaseTest("rollback() undoes as many as it is told", async (db) => {
  await withMigrations(db, THREE, async (migration) => {
    await migration.migrate();
    assertEquals(await migration.rollback({ count: 2 }), 2);
    assertEquals(await migration.getCurrentVersion(), "1");
    assertEquals(await migration.rollback({ count: 5 }), 1);
    assertEquals(await migration.getCurrentVersion(), null);
  });
});

databaseTest("rollback() keeps the target version", async (db) => {
  await withMigrations(db, THREE, async (migration) => {
    await migration.migrate();
    assertEquals(await migration.rollback({ targetVersion: "1" }), 2);
    assertEquals(await migration.getCurrentVersion(), "1");
    assertEquals(await db.exists("a"), true);
    assertEquals(await db.exists("b"), false);
  });
});

databaseTest(
  "rollback() refuses before it touches anything where an undo part is missing",
  async (db) => {
    const files = {
      ...THREE,
      "2_create_b.sql": "CREATE TABLE b (id INT PRIMARY KEY);",
    };
    await withMigrations(db, files, async (migration, folder) => {
      await migration.migrate();
      await assertRejects(
        () => migration.rollback({ count: 3 }),
        MigrationError,
        `Cannot roll back ${folder}/2_create_b.sql: it has no undo part; add one below a line "-- @UNDO"`,
      );
      assertEquals(await db.count("b"), 2);
      assertEquals(await migration.getCurrentVersion(), "3");
    });
  },
);

databaseTest(
  "redo() undoes the newest and applies it again, reset() undoes all",
  async (db) => {
    await withMigrations(db, THREE, async (migration) => {
      assertEquals(await migration.redo(), 0);
      await migration.migrate();
      await db.execute("DELETE FROM b WHERE id = 1");
      assertEquals(await migration.redo(), 1);
      assertEquals(await db.count("b"), 2);
      assertEquals(await migration.reset(), 3);
      assertEquals(await db.exists("a"), false);
    });
  },
);

databaseTest(
  "redo() touches nothing where the second half would be refused",
  async (db) => {
    await withMigrations(db, THREE, async (migration, folder) => {
      await migration.migrate();
      await Deno.writeTextFile(
        `${folder}/1_create_a.sql`,
        "CREATE TABLE a (id INT PRIMARY KEY, more INT);",
      );
      await assertRejects(
        () => migration.redo(),
        MigrationError,
        "1_create_a.sql was edited after it was applied",
      );
      assertEquals(await migration.getCurrentVersion(), "3");
    });
  },
);

databaseTest("redo() leaves an older pending migration alone", async (db) => {
  await withMigrations(db, THREE, async (migration, folder) => {
    await Deno.rename(`${folder}/2_create_b.sql`, `${folder}/2_create_b.txt`);
    await Deno.writeTextFile(
      `${folder}/3_fill_b.sql`,
      "CREATE TABLE c (id INT PRIMARY KEY);\n-- @UNDO\nDROP TABLE c;",
    );
    await migration.migrate();
    await Deno.rename(`${folder}/2_create_b.txt`, `${folder}/2_create_b.sql`);
    assertEquals(await migration.redo(), 1);
    assertEquals(await migration.isApplied("2"), false);
    assertEquals(await migration.getCurrentVersion(), "3");
  });
});

databaseTest(
  "rollback() undoes a migration whose file begins with other zeros now",
  async (db) => {
    const text =
      "CREATE TABLE a (id INT PRIMARY KEY);\n-- @UNDO\nDROP TABLE a;";
    const named = (name: string) =>
      new Migration(db, { source: bundle([{ name, text }]) });
    await named("1_a.sql").migrate();
    assertEquals(await named("0001_a.sql").rollback(), 1);
    assertEquals(await named("0001_a.sql").migrate(), 1);
    assertEquals(await named("1_a.sql").rollback(), 1);
    assertEquals(await db.exists("a"), false);
    assertEquals(await named("1_a.sql").getAppliedMigrations(), []);
  },
);

databaseTest(
  "rollback() and redo() wait for whoever is applying a migration, and say who it is",
  async (db) => {
    const text = "INSERT INTO t VALUES (1);\nSELECT pg_sleep(1.5);\n" +
      "-- @UNDO\nDELETE FROM t;";
    await db.execute("CREATE TABLE t (id INT PRIMARY KEY)");
    const options = {
      source: bundle([{ name: "1_fill.sql", text }]),
      strategy: "statements",
    } as const;
    for (const call of ["rollback", "redo"] as const) {
      const { promise: isHalfApplied, resolve } = Promise
        .withResolvers<void>();
      const applying = new Migration(db, {
        ...options,
        onEvent: (event) => {
          const isSecond = event.type === "statement-started" &&
            event.statement === 2;
          if (isSecond) resolve();
        },
      }).migrate();
      await isHalfApplied;
      const hasty = new Migration(db, { ...options, lockTimeoutMs: 100 });
      const patient = new Migration(db, options);
      await assertRejects(() => hasty[call](), LockTimeoutError, "Cannot get");
      assertEquals(await patient[call](), 1);
      assertEquals(await applying, 1);
      await patient.reset();
    }
  },
);

databaseTest(
  "a run that has waited for another one says what forbids it",
  async (db) => {
    const text = "INSERT INTO t VALUES (1);\nSELECT pg_sleep(1.5);";
    await db.execute("CREATE TABLE t (id INT PRIMARY KEY)");
    const make = (text: string, onEvent?: MigrationOptions["onEvent"]) =>
      new Migration(db, {
        source: bundle([{ name: "1_fill.sql", text }]),
        strategy: "statements",
        onEvent,
      });
    const { promise: isHalfApplied, resolve } = Promise.withResolvers<void>();
    const applying = make(text, (event) => {
      const isSecond = event.type === "statement-started" &&
        event.statement === 2;
      if (isSecond) resolve();
    }).migrate();
    await isHalfApplied;
    await Promise.all([
      assertRejects(
        () => make(text).rollback(),
        MigrationError,
        "it has no undo part",
      ),
      assertRejects(
        () => make(`${text}\nSELECT 1;`).migrate(),
        MigrationError,
        "was edited after it was applied",
      ),
    ]);
    assertEquals(await applying, 1);
  },
);
