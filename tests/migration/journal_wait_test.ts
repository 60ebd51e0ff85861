import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Database } from "../../src/database/database.ts";
import { LockTimeoutError } from "../../src/errors.ts";
import type { MigrationEvent } from "../../src/migration/events.ts";
import { Migration } from "../../src/migration/migrator.ts";
import { bundle } from "../../src/migration/source.ts";
import { databaseTest } from "../support/database.ts";

const source = bundle([{
  name: "1_create_a.sql",
  text: "CREATE TABLE a (id INT PRIMARY KEY);\n-- @UNDO\nDROP TABLE a;",
}]);

/** What others hold, and the statements by which they do. */
const HELD: Readonly<
  Record<string, { prepare: (db: Database) => Promise<unknown>; hold: string }>
> = {
  "the table of the Python client": {
    prepare: (db) =>
      db.execute(
        "CREATE TABLE _migrations (version TEXT PRIMARY KEY, description TEXT, applied_at TIMESTAMP)",
      ),
    hold: "SELECT * FROM _migrations",
  },
  "the row of the lease": {
    prepare: async (db) => {
      const migration = new Migration(db, { source });
      await migration.migrate();
      await migration.rollback();
    },
    hold: "UPDATE _migrations_lease SET holder = holder",
  },
};

for (const [what, { prepare, hold }] of Object.entries(HELD)) {
  databaseTest(
    `migrate() names whom it waits for and gives up in time where another holds ${what}`,
    async (db) => {
      await prepare(db);
      const holder = await db.openSession();
      await holder.query("SET application_name = 'a slow report'");
      await holder.query("BEGIN");
      await holder.query(hold);
      const events: MigrationEvent[] = [];
      const migration = new Migration(db, {
        source,
        lockTimeoutMs: 2_500,
        onEvent: (event) => events.push(event),
      });
      const start = performance.now();
      const error = await assertRejects(
        () => migration.migrate(),
        LockTimeoutError,
      );
      assert(performance.now() - start < 15_000);
      assertMatch(
        error.message,
        /^Cannot open the journal _migrations within \d+ ms: .*session .+ \(a slow report\) has a transaction open since/,
      );
      const [told] = events;
      assert(told.type === "journal-waiting");
      assert(
        told.blockers.some(({ application }) =>
          application === "a slow report"
        ),
      );
      await holder.close();
      assertEquals(await new Migration(db, { source }).migrate(), 1);
    },
  );
}
