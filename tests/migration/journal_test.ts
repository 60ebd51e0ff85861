import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConfigError } from "../../src/errors.ts";
import { databaseTest } from "../support/database.ts";
import { THREE, withMigrations } from "../support/migrations.ts";

databaseTest(
  "the schema of the journal is made where it is missing",
  async (db) => {
    await withMigrations(db, THREE, async (migration) => {
      assertEquals(await migration.getCurrentVersion(), null);
      assertEquals(await migration.migrate(), 3);
      assertEquals(await db.exists("ops._migrations_lease"), true);
      assertEquals(await migration.rollback(), 1);
    }, { table: "ops._migrations" });
  },
);

databaseTest(
  "a table whose versions are numbers is taken over",
  async (db) => {
    for (const type of ["INT8", "INT4", "NUMERIC"]) {
      const table = `_migrations_${type}`.toLowerCase();
      await db.execute(
        `CREATE TABLE ${table} (version ${type} PRIMARY KEY, description TEXT, applied_at TIMESTAMPTZ DEFAULT now())`,
      );
      await db.execute(
        `INSERT INTO ${table} (version, description) VALUES (1, 'create a')`,
      );
      await db.execute("CREATE TABLE a (id INT PRIMARY KEY)");
      await withMigrations(db, THREE, async (migration) => {
        assertEquals(await migration.migrate(), 2);
        assertEquals(await migration.getCurrentVersion(), "3");
        assertEquals(await migration.isApplied("1"), true);
        assertEquals(await migration.rollback({ count: 3 }), 3);
        assertEquals(await migration.getAppliedMigrations(), []);
      }, { table });
    }
  },
);

databaseTest(
  "a table whose descriptions have a width is taken over, whatever the database is called",
  async (db) => {
    await db.execute(
      "CREATE TABLE _migrations (version VARCHAR(8) PRIMARY KEY, description VARCHAR(8), applied_at TIMESTAMP DEFAULT now())",
    );
    const [{ length }] = await db.query<{ length: number }>(
      "SELECT length(current_database()) AS length",
    );
    assert(length > 8);
    await withMigrations(db, THREE, async (migration) => {
      assertEquals(await migration.migrate(), 3);
      assertEquals(await migration.rollback(), 1);
    });
  },
);

databaseTest(
  "a table is refused on PostgreSQL where the names of the others would be cut",
  async (db) => {
    // Letters of two bytes, but for one.
    for (const length of [56, 63]) {
      const table = "é".repeat(length / 2) + "x".repeat(length % 2);
      await withMigrations(db, THREE, async (migration) => {
        const error = await assertRejects(
          () => migration.migrate(),
          ConfigError,
        );
        assertEquals(
          error.message,
          `Cannot use "${table}" as the option table: its name has ${length} bytes, and PostgreSQL ` +
            'has no room for "_journal" behind them; give a name of at most 55 bytes',
        );
        assertEquals(await db.exists(table), false);
      }, { table });
    }
    await withMigrations(db, THREE, async (migration) => {
      assertEquals(await migration.migrate(), 3);
    }, { table: "x".repeat(55) });
  },
  { on: ["postgresql"] },
);

databaseTest(
  "a table may have a long name on CockroachDB",
  async (db) => {
    const table = "x".repeat(64);
    await withMigrations(db, THREE, async (migration) => {
      assertEquals(await migration.migrate(), 3);
      assertEquals(await db.exists(`${table}_journal`), true);
    }, { table });
  },
  { on: ["cockroachdb"] },
);
