/**
 * A table by name on a server: rows by their key, and pages.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { databaseTest } from "../support/database.ts";

databaseTest(
  "Database.pages() and Table.pages() go through a table without gaps or repeats",
  async (db) => {
    await db.createTable("t", { id: "INT4 PRIMARY KEY", at: "TIMESTAMPTZ" });
    // Microseconds, which a Date doesn't have, and many rows of one time.
    await db.execute(
      "INSERT INTO t SELECT n, '2026-01-01T00:00:00.123456Z'::TIMESTAMPTZ + (n / 10) * '1 microsecond'::INTERVAL " +
        "FROM generate_series(1, 95) AS n",
    );
    await db.execute("INSERT INTO t VALUES (96, NULL), (97, NULL), (98, NULL)");
    const ids = async (pages: AsyncIterable<{ id: number }[]>) => {
      const read = await Array.fromAsync(pages);
      assert(read.every(({ length }) => length > 0));
      return read.flat().map(({ id }) => id);
    };
    const all = Array.from({ length: 95 }, (_, index) => index + 1);
    const nulls = [96, 97, 98];
    assertEquals(await ids(db.pages("t", { size: 10 })), [...all, ...nulls]);
    const table = db.table<{ id: number; at: Date }>("t");
    for (const size of [1, 5, 7, 94, 97, 98, 99]) {
      assertEquals(
        await ids(table.pages({ size, orderBy: "at" })),
        [...all, ...nulls],
      );
      assertEquals(
        await ids(table.pages({ size, orderBy: "at desc" })),
        [...all.toReversed(), ...nulls.toReversed()],
      );
    }
    const sizes =
      (await Array.fromAsync(table.pages({ orderBy: "at", size: 45 })))
        .map(({ length }) => length);
    assertEquals(sizes, [45, 45, 8]);
    assertEquals(
      await ids(
        table.pages({ where: { id: { op: ">", value: 90 } }, size: 2 }),
      ),
      [91, 92, 93, 94, 95, ...nulls],
    );
    await assertRejects(() => table.pages({ size: 0 }).next(), RangeError);
  },
);

databaseTest(
  "a row is found again by its key of CHAR(n), as it was read",
  async (db) => {
    await db.createTable("t", { code: "CHAR(5) PRIMARY KEY", n: "INT4" });
    const table = db.table<{ code: string; n: number }>("t", { key: "code" });
    const row = { code: "ab", n: 1 };
    assertEquals(await table.create({ code: "ab  ", n: 1 }), row);
    const [{ code }] = await db.select<{ code: string }>("t");
    assertEquals(await table.read(code), row);
    assertEquals(await db.select("t", { where: { code } }), [row]);
    assertEquals(await db.batchDelete("t", [code], { key: "code" }), 1);
  },
);

databaseTest(
  "Database.table() gives the methods of a table, by its key",
  async (db) => {
    await db.createTable("users", { email: "TEXT PRIMARY KEY", age: "INT4" });
    const users = db.table<{ email: string; age: number }>("users", {
      key: "email",
    });
    const ada = { email: "ada@example.com", age: 36 };
    assertEquals(await users.create(ada), ada);
    assertEquals(await users.read(ada.email), ada);
    assertEquals(await users.read("nobody"), undefined);
    assertEquals(await users.update(ada.email, { age: 37 }), {
      ...ada,
      age: 37,
    });
    assertEquals(await users.update("nobody", { age: 1 }), undefined);
    assertEquals(await users.upsert(ada), ada);
    assertEquals(await users.exists(ada.email), true);
    const more = ["b", "c"].map((email) => ({ email, age: 1 }));
    assertEquals(await users.batchCreate(more), more);
    assertEquals(await users.batchUpdate([{ email: "b", age: 2 }]), 1);
    assertEquals(await users.count({ where: { age: 2 } }), 1);
    assertEquals((await users.list({ orderBy: "email desc" })).length, 3);
    assertEquals(await users.batchDelete(["b", "c", "x"]), 2);
    assertEquals(await users.delete(ada.email), true);
    assertEquals(await users.delete(ada.email), false);
    assertEquals(await users.exists(ada.email), false);
    await db.transaction((tx) =>
      tx.table("users", { key: "email" }).create(ada)
    );
    assertEquals(await users.count(), 1);
  },
);
