import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type DatabaseError,
  LeaseLostError,
  MigrationError,
} from "../../src/errors.ts";
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
  "an error inside of a block is told with the server's context",
  (db) =>
    withMigrations(db, {
      "1_block.sql": "DO $$\nBEGIN\n  PERFORM 1 / 0;\nEND\n$$;",
    }, async (migration) => {
      await assertRejects(
        () => migration.migrate(),
        MigrationError,
        "PL/pgSQL function inline_code_block line 3 at PERFORM\nNothing of it is done",
      );
    }),
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

databaseTest(
  "a statement without an end is told of at its end",
  (db) =>
    withMigrations(
      db,
      {
        "1_cut_short.sql":
          "CREATE TABLE a (i INT8);\nINSERT INTO a\n  (i)\nVALUES",
      },
      async (migration) => {
        await assertRejects(
          () => migration.migrate(),
          MigrationError,
          "1_cut_short.sql:4:7: syntax error at end of input (SQLSTATE 42601)",
        );
      },
    ),
  POSTGRESQL,
);

databaseTest(
  "what a trigger says at COMMIT is not taken for the journal's trouble",
  (db) =>
    withMigrations(db, {
      "1_raise.sql": `${TABLE}
        CREATE FUNCTION fail() RETURNS TRIGGER LANGUAGE plpgsql AS
          $$ BEGIN PERFORM 1 / 0; RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t
          DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail();
        INSERT INTO t VALUES (1)`,
    }, async (migration) => {
      const error = await assertRejects(
        () => migration.migrate(),
        MigrationError,
        "COMMIT, after the last statement: division by zero (SQLSTATE 22012)",
      );
      assertEquals(error instanceof LeaseLostError, false);
    }),
  POSTGRESQL,
);

databaseTest(
  "a migration may go on as another role, and end so",
  async (db) => {
    const role = `crdb_role_${crypto.randomUUID().slice(0, 8)}`;
    await db.execute(`CREATE ROLE ${role}`);
    try {
      for (
        const [index, text] of [
          `SET ROLE ${role}`,
          `SET SESSION AUTHORIZATION ${role}`,
          `SELECT set_config('role', '${role}', false)`,
        ].entries()
      ) {
        for (const strategy of ["transaction", "statements"] as const) {
          const table = `_migrations_${index}_${strategy}`;
          await withMigrations(
            db,
            { "1_a.sql": `${text}; SELECT 1`, "2_b.sql": text },
            async (migration) => {
              assertEquals(
                await migration.migrate(),
                2,
                `${text}, ${strategy}`,
              );
            },
            { strategy, table },
          );
        }
      }
    } finally {
      await db.execute(`DROP ROLE ${role}`);
    }
  },
  POSTGRESQL,
);

databaseTest(
  "a statement that fails in the middle says which of its parts are done",
  async (db) => {
    await db.execute("CREATE TABLE t (id INT8 PRIMARY KEY, a INT8, b INT8)");
    await db.execute("INSERT INTO t VALUES (1, 1, 7), (2, 2, 7)");
    const rename = "RENAME COLUMN a TO x";
    const unique = "ADD CONSTRAINT u UNIQUE (b)";
    const files = (actions: string) => ({
      "1_change.sql": `ALTER TABLE t ${actions};`,
    });
    await withMigrations(db, files(`${rename}, ${unique}`), async (one) => {
      const error = await assertRejects(() => one.migrate(), MigrationError);
      assertEquals(
        error.message.split("\n").at(-1),
        "Of statement 1 a part is done (column a renamed to x), the rest is not; the migration is not applied. " +
          "Undo that part, or take it out of the file, then mend the rest, and run migrate again.",
      );
      const { code } = error.cause as DatabaseError;
      assertEquals(code, "23505");
    });
    await db.execute("UPDATE t SET b = id WHERE true");
    await withMigrations(db, files(unique), async (mended) => {
      assertEquals(await mended.migrate(), 1);
    });
    assertEquals(await db.query("SELECT x, b FROM t WHERE id = 2"), [
      { x: 2, b: 2 },
    ]);
  },
  { on: ["cockroachdb"] },
);
