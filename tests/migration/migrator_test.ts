import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  ConfigError,
  LockTimeoutError,
  MigrationError,
} from "../../src/errors.ts";
import { Database } from "../../src/database/database.ts";
import type { MigrationEvent } from "../../src/migration/events.ts";
import { Migration } from "../../src/migration/migrator.ts";
import { bundle } from "../../src/migration/source.ts";
import { databaseTest, server } from "../support/database.ts";
import { THREE, withMigrations } from "../support/migrations.ts";

const EVERYWHERE = { on: ["cockroachdb", "postgresql", "pglite"] } as const;

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

Deno.test("Migration refuses a time to wait that is none", () => {
  const db = new Database({ url: server.url });
  for (const lockTimeoutMs of [NaN, -1, "2s"]) {
    assertThrows(
      () => new Migration(db, { lockTimeoutMs: lockTimeoutMs as number }),
      RangeError,
      `Cannot wait for a lockTimeoutMs of ${lockTimeoutMs}: give a number of milliseconds from 0`,
    );
  }
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

Deno.test("a table of too many parts is refused by the option's name", async () => {
  const { Database } = await import("../../src/database/database.ts");
  await using db = new Database({ url: server.url });
  const error = assertThrows(
    () => new Migration(db, { table: "a.b.c.d" }),
    ConfigError,
  );
  assertEquals(
    error.message,
    'Cannot use "a.b.c.d" as the option table: the name "a.b.c.d" has 4 parts; give at most database.schema.table',
  );
});

Deno.test("an option by another name is refused, and never passed over", async () => {
  const { Database } = await import("../../src/database/database.ts");
  await using db = new Database({ url: server.url });
  const make = (options: object) => new Migration(db, options);
  assertEquals(
    assertThrows(() => make({ migrationDir: "x" }), ConfigError).message,
    'Cannot use the option "migrationDir": unknown option; did you mean "migrationsDir"?',
  );
  const migration = make({ source: bundle([]) });
  const target = { to: "1" } as object;
  assertEquals(
    (await assertRejects(() => migration.migrate(target), ConfigError)).message,
    'Cannot use the option "to": unknown option; use only targetVersion, dryRun, signal, cancelSignal',
  );
  const count = 2 as unknown as object;
  assertEquals(
    (await assertRejects(() => migration.rollback(count), ConfigError)).message,
    "Cannot use 2 as options: give an object, such as { count: … }",
  );
  const number = { targetVersion: 5 } as object;
  for (const run of ["migrate", "rollback"] as const) {
    assertEquals(
      (await assertRejects(() => migration[run](number), TypeError)).message,
      'Cannot use 5 as the targetVersion: a version is text; give "5"',
    );
  }
});

Deno.test("a lease without an end is refused", () => {
  const db = new Database({ url: server.url });
  assertThrows(
    () => new Migration(db, { leaseMs: Infinity }),
    RangeError,
    "Cannot use a lease of Infinity ms: it has to end; give 86400000 or less",
  );
});

Deno.test("a lease below three seconds is refused", async () => {
  await using db = new Database({ url: server.url });
  let message = "";
  try {
    new Migration(db, { leaseMs: 500 });
  } catch (error) {
    message = (error as Error).message;
  }
  assertEquals(
    message,
    "Cannot use a lease of 500 ms: clocks of nodes differ; give 3000 or more",
  );
});

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

Deno.test("a Migration with a source and no folder creates no file that it would never load", async () => {
  await using db = new Database();
  const migration = new Migration(db, { source: bundle([]) });
  await assertRejects(
    () => migration.createMigration("a", "SELECT 1"),
    ConfigError,
    "Cannot create a migration: the migrations come from a source, which would not have it; name its folder in migrationsDir",
  );
});

Deno.test("isApplied() refuses a version that is no text", async () => {
  await using db = new Database();
  await assertRejects(
    () => new Migration(db).isApplied(1 as never),
    TypeError,
    'Cannot use 1 as the version: a version is text; give "1"',
  );
});
