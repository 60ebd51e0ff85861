import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import type { Database } from "../../src/database/database.ts";
import { ConfigError, MigrationError } from "../../src/errors.ts";
import { Migration } from "../../src/migration/migrator.ts";
import { bundle } from "../../src/migration/source.ts";
import { databaseTest } from "../support/database.ts";
import { leaveIntent } from "../support/migrations.ts";

const SOURCE = bundle([
  { name: "1_a.sql", text: "SELECT 1;" },
  { name: "2_b.sql", text: "CREATE TABLE b (id INT PRIMARY KEY);" },
]);

databaseTest(
  "repair() takes no other word for an answer",
  async (db) => {
    const migration = new Migration(db, { source: SOURCE });
    await leaveIntent(db, migration);
    for (const outcome of ["Done", "not done", "", undefined, true]) {
      await assertRejects(
        () => migration.repair({ version: "2", outcome } as never),
        ConfigError,
        `Cannot repair 2 with the outcome "${outcome}": that is no answer; give "done" or "not-done"`,
      );
    }
    assertEquals((await migration.status())[1].unsettled, 1);
    await migration.repair({ version: "2", outcome: "not-done" });
    assertEquals((await migration.status())[1].unsettled, undefined);
  },
);

/** Corrects under a signal that fires as soon as the lease is held. */
async function interrupted(
  db: Database,
  correct: (migration: Migration, signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const stop = new AbortController();
  const events: string[] = [];
  const migration = new Migration(db, {
    source: SOURCE,
    onEvent({ type }) {
      events.push(type);
      if (type === "lease-acquired") stop.abort();
    },
  });
  const error = await assertRejects(() => correct(migration, stop.signal));
  assertStrictEquals(error, stop.signal.reason);
  assertEquals(events, ["lease-acquired", "lease-released"]);
}

databaseTest(
  "baseline() notes nothing once its signal has fired, and gives the lease back",
  async (db) => {
    await interrupted(db, (one, signal) => one.baseline("2", { signal }));
    const migration = new Migration(db, { source: SOURCE });
    assertEquals(await migration.getAppliedMigrations(), []);
    assertEquals(await migration.baseline("2"), 2);
  },
);

databaseTest(
  "repair() notes nothing once its signal has fired, and gives the lease back",
  async (db) => {
    const migration = new Migration(db, { source: SOURCE });
    await leaveIntent(db, migration);
    const answer = { version: "2", outcome: "done" } as const;
    await interrupted(db, (one, signal) => one.repair(answer, { signal }));
    assertEquals((await migration.status())[1].unsettled, 1);
  },
);

databaseTest(
  "baseline() that waits for another runner ends at its signal",
  async (db) => {
    const held = Promise.withResolvers<void>();
    const slow = new Migration(db, {
      source: bundle([{ name: "1_a.sql", text: "SELECT pg_sleep(1);" }]),
      onEvent: ({ type }) => type === "statement-started" && held.resolve(),
    });
    const running = slow.migrate();
    await held.promise;
    const stop = new AbortController();
    const waiting = new Migration(db, {
      source: SOURCE,
      onEvent: ({ type }) => type === "lease-waiting" && stop.abort(),
    });
    const error = await assertRejects(() =>
      waiting.baseline("2", { signal: stop.signal })
    );
    assertStrictEquals(error, stop.signal.reason);
    assertEquals(await running, 1);
    assertEquals(await waiting.getCurrentVersion(), "1");
  },
);

databaseTest("baseline() says which versions there are", async (db) => {
  for (
    const [source, rest] of [
      [SOURCE, "the newest is 2"],
      [bundle([]), "there are no migrations"],
    ] as const
  ) {
    const error = await assertRejects(
      () => new Migration(db, { source }).baseline("7"),
      MigrationError,
    );
    assertEquals(
      error.message,
      `Cannot take 7 as the baseline: no file has that version; ${rest}`,
    );
  }
});

databaseTest("baseline() and repair() refuse an unknown option", async (db) => {
  const migration = new Migration(db, { source: SOURCE });
  const options = { signl: AbortSignal.abort() } as never;
  for (
    const correct of [
      () => migration.baseline("2", options),
      () => migration.repair({ version: "2", outcome: "done" }, options),
    ]
  ) await assertRejects(correct, ConfigError, 'did you mean "signal"?');
});
