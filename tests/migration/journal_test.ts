import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConfigError, MigrationError } from "../../src/errors.ts";
import { Migration } from "../../src/migration/migrator.ts";
import { bundle } from "../../src/migration/source.ts";
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
    for (const length of [62, 63]) {
      const table = "é".repeat(length / 2) + "x".repeat(length % 2);
      await withMigrations(db, THREE, async (migration) => {
        const error = await assertRejects(
          () => migration.migrate(),
          ConfigError,
        );
        assertEquals(
          error.message,
          `Cannot use "${table}" as the option table: its name has ${length} bytes, and PostgreSQL ` +
            "has no room for those of the other tables; give a name of at most 61 bytes",
        );
        assertEquals(await db.exists(table), false);
      }, { table });
    }
    await withMigrations(db, THREE, async (migration) => {
      assertEquals(await migration.migrate(), 3);
      assertEquals(await migration.rollback(), 1);
    }, { table: "x".repeat(61) });
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

for (
  const [columns, lack] of [
    [
      "id INT8 PRIMARY KEY, name TEXT",
      "the columns version, description and applied_at",
    ],
    [
      "version INT8 PRIMARY KEY, dirty BOOL",
      "the columns description and applied_at",
    ],
    [
      "id INT8 PRIMARY KEY, description TEXT, applied_at TIMESTAMP",
      "the column version",
    ],
  ]
) {
  databaseTest(
    `another program's table without ${lack} is refused, empty or not`,
    async (db) => {
      await db.execute("CREATE SCHEMA app");
      await db.execute(`CREATE TABLE app._migrations (${columns})`);
      const source = bundle([{ name: "1_a.sql", text: "SELECT 1" }]);
      const migration = new Migration(db, {
        source,
        table: "app._migrations",
      });
      for (const isEmpty of [true, false]) {
        if (!isEmpty) {
          await db.execute("INSERT INTO app._migrations VALUES (7)");
        }
        for (
          const run of [
            () => migration.migrate(),
            () => migration.status(),
            () => migration.baseline("1"),
          ]
        ) {
          const error = await assertRejects(run, MigrationError);
          assertEquals(
            error.message,
            "Cannot use app._migrations as the journal: it is another program's table, " +
              `without ${lack}; name another with the option table (--table)`,
          );
        }
      }
      assertEquals(await db.exists("app._migrations_journal"), false);
    },
  );
}
