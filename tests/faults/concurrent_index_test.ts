import { assertEquals, assertStringIncludes } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import { databaseTest } from "../support/database.ts";
import { said, withTrial } from "../support/trial.ts";

const VALID =
  "SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = 's.\"An i\"'::REGCLASS";
const BEFORE = [
  "CREATE SCHEMA s",
  "CREATE TABLE s.t (a INT8)",
  "INSERT INTO s.t VALUES (1), (1)",
];

for (const condition of ["", "IF NOT EXISTS "]) {
  const statement =
    `CREATE UNIQUE INDEX CONCURRENTLY ${condition}"An i" ON s.t (a)`;
  const more = [{ name: "900_index.sql", text: `${statement};` }];

  databaseTest(
    `migrate() makes an index anew that an attempt has left invalid, by ${statement}`,
    () =>
      withTrial({ strategy: "statements", more }, async (trial) => {
        for (const text of BEFORE) await trial.db.execute(text);
        const error = await trial.run("migrate").then(() => undefined, said);
        assertStringIncludes(error ?? "", "SQLSTATE 23505");
        assertEquals(await trial.db.query(VALID), [{ valid: false }]);
        await trial.db.execute("DELETE FROM s.t");
        await trial.run("migrate");
        assertEquals(await trial.db.query(VALID), [{ valid: true }]);
      }),
    { on: ["postgresql"] },
  );
}

databaseTest(
  "migrate() leaves an index alone that somebody is building, and refuses it where that fails",
  () => {
    const text =
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS "An i" ON s.t (a); -- ours';
    const more = [{ name: "900_index.sql", text }];
    return withTrial({ strategy: "statements", more }, async (trial) => {
      for (const text of BEFORE) await trial.db.execute(text);
      await using other = new Database({ url: trial.url });
      const waiting = async (query: string) => {
        for (;;) {
          const rows = await trial.db.query(
            "SELECT 1 AS one FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE " +
              `'${query}%' AND datname = current_database()`,
          );
          if (rows.length > 0) return;
        }
      };
      const { promise: isOver, resolve: over } = Promise.withResolvers<void>();
      const { promise: isHeld, resolve: hold } = Promise.withResolvers<void>();
      const holder = other.transaction(async (tx) => {
        await tx.execute("INSERT INTO s.t VALUES (2)");
        hold();
        await isOver;
      });
      await isHeld;
      const building = trial.db.execute(
        'CREATE UNIQUE INDEX CONCURRENTLY "An i" ON s.t (a)',
      ).then(() => undefined, said);
      await waiting("CREATE UNIQUE INDEX");
      const run = trial.run("migrate").then(() => undefined, said);
      await waiting("CREATE INDEX");
      over();
      await holder;
      assertStringIncludes(await building ?? "", "could not create");
      assertStringIncludes(
        await run ?? "",
        "900_index.sql:1:1: The index An i was there already, and isn't valid (SQLSTATE 55000)",
      );
      assertEquals((await trial.journal()).applied.length, 1);
      await trial.run("migrate");
      assertEquals(await trial.db.query(VALID), [{ valid: true }]);
    });
  },
  { on: ["postgresql"] },
);
