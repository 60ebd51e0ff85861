import { assert, assertEquals, assertRejects } from "@std/assert";
import { Database } from "../src/database/database.ts";
import { withDatabase } from "../src/fresh_database.ts";
import { databaseTest, server } from "./support/database.ts";

async function isThere(name: string): Promise<boolean> {
  await using db = new Database({ url: server.url });
  const found = "SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1";
  return await db.queryOne(found, [name]) !== undefined;
}

databaseTest(
  "withDatabase() drops its database when the test passes",
  async () => {
    let used = "";
    const result = await withDatabase(async (db, { name }) => {
      used = name;
      await db.createTable("t", { id: "INT" });
      return "done";
    }, { url: server.url });
    assertEquals(result, "done");
    assertEquals(await isThere(used), false);
  },
);

databaseTest(
  "withDatabase() keeps and names its database when the test fails",
  async (outer) => {
    const mine = new Error("the sum is wrong");
    let used = "";
    const error = await assertRejects(
      () =>
        withDatabase(async (db, { name }) => {
          used = name;
          await db.createTable("t", { id: "INT" });
          throw mine;
        }, { url: server.url }),
      Error,
    );
    try {
      assertEquals(error.cause, mine);
      assert(error.message.startsWith("the sum is wrong\n"), error.message);
      assert(error.message.includes(`The test's database "${used}" on `));
      assertEquals(await isThere(used), true);
    } finally {
      await outer.dropDatabase(used, { cascade: true });
    }
  },
);

databaseTest(
  "withDatabase() gives a test its own database, and the options for more clients",
  async (_, { name, options }) => {
    await withDatabase(async (db, fresh) => {
      assert(fresh.name !== name);
      assertEquals(db.config.database, fresh.name);
      await db.createTable("t", { id: "INT" });
      await using other = new Database(fresh.options);
      assertEquals(await other.exists("t"), true);
    }, options);
  },
);
