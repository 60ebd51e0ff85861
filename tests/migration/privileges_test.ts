import { assertEquals, assertRejects } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import { DatabaseError, MigrationError } from "../../src/errors.ts";
import { Migration } from "../../src/migration/migrator.ts";
import { bundle } from "../../src/migration/source.ts";
import { databaseTest } from "../support/database.ts";

const FIRST = { name: "1_a.sql", text: "CREATE TABLE a (id INT PRIMARY KEY);" };
const SECOND = {
  name: "2_b.sql",
  text: "CREATE TABLE b (id INT PRIMARY KEY);",
};

/** The statement that the README tells to run. */
const readme = await Deno.readTextFile(
  new URL("../../README.md", import.meta.url),
);
const [GRANT = ""] = /GRANT SELECT[^;]*(?=;)/.exec(readme) ?? [];

/** Runs `fn` with a role that may make tables and nothing else. */
async function withRole(
  db: Database,
  fn: (role: string) => Promise<void>,
): Promise<void> {
  const role = `crdb_role_${crypto.randomUUID().slice(0, 8)}`;
  await db.execute(`CREATE ROLE ${role} WITH LOGIN`);
  await db.execute(`GRANT CREATE, USAGE ON SCHEMA public TO ${role}`);
  if ((await db.server()).kind === "cockroachdb") {
    await db.execute(
      `GRANT CREATE ON DATABASE ${db.config.database} TO ${role}`,
    );
  }
  try {
    await fn(role);
  } finally {
    await db.execute(`DROP OWNED BY ${role}`).catch(() => {});
    await db.execute(`DROP ROLE ${role}`).catch(() => {});
  }
}

databaseTest(
  "the privileges that the README names are enough to migrate, and fewer are not",
  async (db, { options }) => {
    await new Migration(db, { source: bundle([FIRST]) }).migrate();
    await withRole(db, async (role) => {
      await using own = new Database({ ...options, user: role });
      const migration = new Migration(own, { source: bundle([FIRST, SECOND]) });
      const error = await assertRejects(
        () => migration.migrate(),
        DatabaseError,
      );
      assertEquals(error.kind, "permission");
      assertEquals(await db.exists("b"), false);

      await db.execute(GRANT.replace("migrator", role));
      assertEquals(await migration.migrate(), 1);
      assertEquals(await migration.getCurrentVersion(), "2");
      assertEquals(await own.count("b"), 0);
      await own.dropTable("b");
    });
  },
);

databaseTest(
  "a schema of the journal that may not be made is asked for",
  async (db, { options }) => {
    await withRole(db, async (role) => {
      const { database } = db.config;
      await db.execute(`REVOKE CREATE ON DATABASE ${database} FROM ${role}`);
      await using own = new Database({ ...options, user: role });
      const source = bundle([FIRST]);
      const error = await assertRejects(
        () => new Migration(own, { source, table: "ops.done" }).migrate(),
        MigrationError,
      );
      const { message } = error.cause as DatabaseError;
      assertEquals(
        error.message,
        `Cannot make the schema "ops" of the migrations' journal: ${message}; ` +
          'have somebody run CREATE SCHEMA "ops", and grant the role CREATE and USAGE on it, or name another table',
      );
    });
  },
);

databaseTest(
  "a migration that takes on another role leaves the journal to its own",
  async (db) => {
    await withRole(db, async (role) => {
      await db.execute(`GRANT ${role} TO ${db.config.user}`).catch(() => {});
      const text =
        `SET ROLE ${role};\nCREATE TABLE c (id INT PRIMARY KEY);\nINSERT INTO c VALUES (1);\nCREATE INDEX c_id ON c (id);`;
      for (const strategy of ["statements", "transaction"] as const) {
        if (
          strategy === "transaction" &&
          (await db.server()).kind === "cockroachdb"
        ) continue;
        const table = `_migrations_${strategy}`;
        const source = bundle([{ name: "1_c.sql", text }]);
        const migration = new Migration(db, { source, table, strategy });
        assertEquals(await migration.migrate(), 1);
        assertEquals(await migration.isApplied("1"), true);
        assertEquals(await db.count("c"), 1);
        await db.dropTable("c");
      }
    });
  },
);

databaseTest(
  "a journal that may not be written is told apart from a migration that fails",
  async (db, { options }) => {
    await new Migration(db, { source: bundle([FIRST]) }).migrate();
    await withRole(db, async (role) => {
      await db.execute(GRANT.replace("migrator", role));
      await db.execute(`REVOKE INSERT ON _migrations FROM ${role}`);
      await using own = new Database({ ...options, user: role });
      const error = await assertRejects(
        () => new Migration(own, { source: bundle([FIRST, SECOND]) }).migrate(),
        MigrationError,
      );
      assertEquals(
        error.message.startsWith("Cannot write the migrations' journal: "),
        true,
        error.message,
      );
    });
  },
);
