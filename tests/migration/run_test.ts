/**
 * A run while it goes on: its lease beside other runs, what it tells, and the signal that stops it.
 *
 * @module
 */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { LockTimeoutError, MigrationError } from "../../src/errors.ts";
import type { MigrationEvent } from "../../src/migration/events.ts";
import { Migration } from "../../src/migration/migrator.ts";
import { bundle } from "../../src/migration/source.ts";
import { databaseTest } from "../support/database.ts";
import { THREE, withMigrations } from "../support/migrations.ts";

databaseTest(
  "two that start at once apply each migration once, and one waits",
  async (db) => {
    await withMigrations(db, {
      ...THREE,
      "4_slow.sql": "SELECT pg_sleep(0.5);",
    }, async (migration, migrationsDir) => {
      const others = [1, 2].map(() => new Migration(db, { migrationsDir }));
      const counts = await Promise.all(
        [migration, ...others].map((one) => one.migrate()),
      );
      assertEquals(counts.toSorted(), [0, 0, 4]);
      assertEquals(await db.count("b"), 2);
    });
  },
);

databaseTest(
  "a runner that waits too long says who holds the lease, and unlock() ends it",
  async (db) => {
    const events: MigrationEvent[] = [];
    await withMigrations(
      db,
      { "1_slow.sql": "SELECT pg_sleep(2);" },
      async (first, migrationsDir) => {
        const running = first.migrate();
        while (
          (await db.count("pg_catalog.pg_class", {
            where: { relname: "_migrations_lease" },
          })) === 0
        ) {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        while (await db.count("_migrations_lease") === 0) {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        const second = new Migration(db, {
          migrationsDir,
          lockTimeoutMs: 300,
          onEvent: (event) => events.push(event),
        });
        const error = await assertRejects(
          () => second.migrate(),
          LockTimeoutError,
        );
        assertMatch(
          error.message,
          /^Cannot get the lease of "_migrations" within 300 ms: \w+ on .+, process \d+ holds it since 20\d\d-.+; wait for it, raise the lock timeout, or run unlock if that runner is gone$/,
        );
        assertEquals(events.some(({ type }) => type === "lease-waiting"), true);
        assertMatch(await second.unlock() ?? "", /, process \d+$/);
        assertEquals(await second.unlock(), undefined);
        await assertRejects(
          () => running,
          MigrationError,
          "another runner has taken",
        );
      },
    );
  },
);

databaseTest("a run tells its steps", async (db) => {
  const events: string[] = [];
  const source = bundle([{
    name: "1_a.sql",
    text: "CREATE TABLE a (id INT);",
  }]);
  const migration = new Migration(db, {
    source,
    onEvent: ({ type }) => events.push(type),
  });
  await migration.migrate();
  assertEquals(events, [
    "lease-acquired",
    "migration-started",
    "statement-started",
    "statement-finished",
    "migration-finished",
    "lease-released",
  ]);
});

databaseTest("a signal stops a run before its next statement", async (db) => {
  const controller = new AbortController();
  await withMigrations(db, THREE, async (migration) => {
    const stop = new Error("stop here");
    await assertRejects(
      () => migration.migrate({ signal: controller.signal }),
      Error,
      stop.message,
    );
    assertEquals(await migration.isApplied("1"), true);
    assertEquals(await migration.isApplied("2"), false);
    assertEquals(await migration.migrate(), 2);
  }, {
    onEvent: ({ type }) => {
      if (type === "migration-finished") {
        controller.abort(new Error("stop here"));
      }
    },
  });
});
