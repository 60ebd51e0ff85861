import { assertEquals, assertRejects } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import { type DatabaseError, MigrationError } from "../../src/errors.ts";
import { Migration } from "../../src/migration/migrator.ts";
import { bundle } from "../../src/migration/source.ts";
import { databaseTest } from "../support/database.ts";

const FIRST = { name: "1_a.sql", text: "CREATE TABLE a (id INT PRIMARY KEY);" };
const SECOND = {
  name: "2_b.sql",
  text: "CREATE TABLE b (id INT PRIMARY KEY);",
};

/** The statements that the README tells to run. */
const readme = await Deno.readTextFile(
  new URL("../../README.md", import.meta.url),
);
const [GRANT = ""] = /GRANT SELECT[^;]*(?=;)/.exec(readme) ?? [];
const [GRANT_USAGE = ""] = /GRANT USAGE[^;]*(?=;)/.exec(readme) ?? [];

/** Asserts that a run is refused for a right that is missing, and says which. */
async function assertLacks(
  run: () => Promise<unknown>,
  verb: string,
  remedy: string,
): Promise<void> {
  const error = await assertRejects(run, MigrationError);
  const { kind, message } = error.cause as DatabaseError;
  assertEquals(kind, "permission");
  assertEquals(
    error.message,
    `Cannot ${verb} the migrations' journal: ${message}; ${remedy}`,
  );
}

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

for (
  const [table, grants] of [
    ["_migrations", [GRANT]],
    ["ops._migrations", [
      GRANT.replaceAll("_migrations", "ops._migrations"),
      GRANT_USAGE,
    ]],
  ] as const
) {
  databaseTest(
    `the privileges that the README names are enough to migrate by ${table}, and fewer are not`,
    async (db, { options }) => {
      await new Migration(db, { source: bundle([FIRST]), table }).migrate();
      await withRole(db, async (role) => {
        await using own = new Database({ ...options, user: role });
        const source = bundle([FIRST, SECOND]);
        const migration = new Migration(own, { source, table });
        for (const grant of grants) {
          await assertLacks(
            () => migration.migrate(),
            "read",
            "grant the role USAGE on its schema and SELECT, INSERT, UPDATE and DELETE on its tables",
          );
          assertEquals(await db.exists("b"), false);
          await db.execute(grant.replace("migrator", role));
        }
        assertEquals(await migration.migrate(), 1);
        assertEquals(await migration.getCurrentVersion(), "2");
        assertEquals(await own.count("b"), 0);
        await own.dropTable("b");
      });
    },
  );
}

databaseTest(
  "a journal that the role may not make is asked for",
  async (db, { options }) => {
    await withRole(db, async (role) => {
      const { database } = db.config;
      await db.execute(`REVOKE CREATE ON DATABASE ${database} FROM ${role}`);
      await db.execute("CREATE SCHEMA ops");
      await db.execute(GRANT_USAGE.replace("migrator", role));
      await using own = new Database({ ...options, user: role });
      const source = bundle([FIRST]);
      const table = "ops._migrations";
      const migration = new Migration(own, { source, table });
      await assertLacks(
        () => migration.migrate(),
        "make",
        "grant the role CREATE on its schema, or let somebody who may run the first migration",
      );
      assertEquals(await db.exists("a"), false);
      await db.execute(`GRANT CREATE ON SCHEMA ops TO ${role}`);
      assertEquals(await migration.migrate(), 1);
    });
  },
);

databaseTest(
  "a table of another role that lacks columns is no journal to be taken over",
  async (db, { options }) => {
    await db.execute(
      "CREATE TABLE _migrations (version TEXT PRIMARY KEY, description TEXT, applied_at TIMESTAMPTZ)",
    );
    await withRole(db, async (role) => {
      await db.execute(
        `GRANT SELECT, INSERT, UPDATE, DELETE ON _migrations TO ${role}`,
      );
      await using own = new Database({ ...options, user: role });
      await assertLacks(
        () => new Migration(own, { source: bundle([FIRST]) }).migrate(),
        "make",
        "make the role the owner of its table, or let somebody who may run the first migration",
      );
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
  "DISCARD ALL ends the role that a migration has taken on, also behind the journal's notes",
  async (db) => {
    await withRole(db, async (role) => {
      const text =
        `SET ROLE ${role};\nCREATE TABLE c (id INT);\nDISCARD ALL;\nCREATE TABLE d (id INT);\nCREATE TABLE e (id INT);`;
      const source = bundle([{ name: "1_c.sql", text }]);
      const strategy = "statements";
      await new Migration(db, { source, strategy }).migrate();
      const owners = await db.query(
        "SELECT tablename AS t, tableowner = current_user AS own FROM pg_tables WHERE tablename IN ('c', 'd', 'e') ORDER BY 1",
      );
      assertEquals(owners, [
        { t: "c", own: false },
        { t: "d", own: true },
        { t: "e", own: true },
      ]);
    });
  },
  { on: ["postgresql"] },
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

databaseTest(
  "a role that may only read the journal is told what it lacks to migrate and to end the lease",
  async (db, { options }) => {
    await new Migration(db, { source: bundle([FIRST]) }).migrate();
    await withRole(db, async (role) => {
      await db.execute(
        GRANT.replace(/(?<=GRANT )[A-Z, ]+(?= ON)/, "SELECT")
          .replace("migrator", role),
      );
      await using own = new Database({ ...options, user: role });
      const migration = new Migration(own, {
        source: bundle([FIRST, SECOND]),
      });
      assertEquals((await migration.plan()).migrations.length, 1);
      for (const run of [() => migration.migrate(), () => migration.unlock()]) {
        await assertLacks(
          run,
          "write",
          "grant the role SELECT, INSERT, UPDATE and DELETE on its tables",
        );
      }
      assertEquals(await db.exists("b"), false);
    });
  },
);
