import { assertEquals } from "@std/assert";
import type { Row } from "../../src/database/crud.ts";
import { databaseTest } from "../support/database.ts";

/** The values of a column, page by page; an end that is never reached is cut off. */
async function codes(pages: AsyncIterable<Row[]>): Promise<unknown[]> {
  const seen: unknown[] = [];
  for await (const page of pages) {
    seen.push(...page.map(({ code }) => code));
    if (seen.length > 100) break;
  }
  return seen;
}

databaseTest(
  "Database.pages() goes through keys of CHAR(n) without gaps or repeats",
  async (db) => {
    await db.createTable("t", { code: "CHAR(8) PRIMARY KEY", kind: "CHAR(4)" });
    const all = ["a", "a b", "ab", "abc", "b", "c", "d", "e"];
    await db.batchInsert(
      "t",
      all.map((code, index) => ({ code, kind: index < 5 ? "k" : "kk" })),
    );
    const sorted = await db.select("t", { orderBy: "code" });
    const expected = sorted.map(({ code }) => code);
    assertEquals(expected.toSorted(), all.toSorted());
    for (const size of [1, 2, 3]) {
      const key = "code";
      assertEquals(await codes(db.pages("t", { key, size })), expected);
      const byKind = db.pages("t", { key, size, orderBy: "kind" });
      assertEquals(await codes(byKind), expected);
      const back = db.pages("t", { key, size, orderBy: "code desc" });
      assertEquals(await codes(back), expected.toReversed());
    }
  },
);

databaseTest(
  "Database.pages() and Database.select() go by the same column, in quotes or without",
  async (db) => {
    await db.createTable("t", { id: "INT4 PRIMARY KEY", "Odd Name": "TEXT" });
    const rows = ["c", "a", "b"].map((name, id) => ({ id, "Odd Name": name }));
    await db.batchInsert("t", rows);
    for (const orderBy of ['"Odd Name" desc', "Odd Name desc"]) {
      const selected = await db.select("t", { orderBy });
      assertEquals(selected, [rows[0], rows[2], rows[1]]);
      const paged = await Array.fromAsync(db.pages("t", { orderBy, size: 2 }));
      assertEquals(paged.flat(), selected);
    }
  },
);
