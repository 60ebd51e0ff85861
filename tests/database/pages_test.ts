import { assertEquals, assertThrows } from "@std/assert";
import {
  endOfPage,
  keysetOf,
  pageStatement,
  VALUES_END,
} from "../../src/database/pages.ts";

Deno.test("keysetOf() goes by the key, a hundred rows at a time", () => {
  assertEquals(keysetOf({}), {
    columns: ["id"],
    descending: false,
    size: 100,
    where: undefined,
  });
});

Deno.test("keysetOf() lets the key decide among equal values", () => {
  const { columns, descending } = keysetOf({ orderBy: "at DESC", key: "no" });
  assertEquals([columns, descending], [["at", "no"], true]);
});

Deno.test("keysetOf() reads a column as an ORDER BY does, in quotes or without", () => {
  const read = (orderBy: string) => {
    const { columns: [column], descending } = keysetOf({ orderBy });
    return [column, descending];
  };
  assertEquals(read('"Odd Name" desc'), ["Odd Name", true]);
  assertEquals(read("Odd Name desc"), ["Odd Name", true]);
  assertEquals(read('"a, ""b"" desc"'), ['a, "b" desc', false]);
  assertEquals(read(" at asc "), ["at", false]);
  assertEquals(read("at desc nulls last"), ["at", true]);
  assertEquals(keysetOf({ orderBy: '"id" desc' }).columns, ["id"]);
});

Deno.test("keysetOf() takes a key of any name", () => {
  assertEquals(keysetOf({ key: "a, b desc" }).columns, ["a, b desc"]);
});

Deno.test("keysetOf() refuses an order by more or other than a column", () => {
  const others: unknown[] = [
    "a, b",
    ["a", "b"],
    ["a"],
    "users.a",
    { a: "desc" },
    1,
  ];
  for (const orderBy of others) {
    assertThrows(
      () => keysetOf({ orderBy: orderBy as string }),
      TypeError,
      `Cannot cut pages by "${orderBy}": that is not one column; give one, with asc or desc behind it if you like, and the key decides among equal values`,
    );
  }
  assertThrows(
    () => keysetOf({ orderBy: "a desc nulls first" }),
    TypeError,
    'Cannot cut pages by "a desc nulls first": rows without a value always come last; leave nulls first out',
  );
  assertThrows(
    () => keysetOf({ orderBy: "lower(a)" }),
    TypeError,
    'Cannot order by "lower(a)": give columns',
  );
});

Deno.test("keysetOf() refuses pages that aren't any", () => {
  for (const size of [0, -1, 1.5, NaN]) {
    assertThrows(
      () => keysetOf({ size }),
      RangeError,
      `Cannot cut pages of ${size} rows: size is a whole number from 1`,
    );
  }
  assertThrows(
    () => keysetOf({ orderBy: " " }),
    TypeError,
    "Cannot cut pages: orderBy is empty",
  );
});

Deno.test("pageStatement() reads the first page, and one after another", () => {
  const keyset = keysetOf({ size: 2, where: { kind: "a" } });
  assertEquals(pageStatement("t", keyset), {
    text: 'SELECT * FROM "t" WHERE "kind" = $1 ORDER BY "id" ASC LIMIT 2',
    args: ["a"],
  });
  assertEquals(pageStatement("t", { ...keyset, after: ["7"] }), {
    text:
      'SELECT * FROM "t" WHERE (("id") > ($1)) AND "kind" = $2 ORDER BY "id" ASC LIMIT 2',
    args: ["7", "a"],
  });
});

Deno.test("pageStatement() compares both columns, in the order's direction", () => {
  const keyset = keysetOf({ size: 2, orderBy: "na me desc" });
  assertEquals(pageStatement("t", { ...keyset, after: ["x", "7"] }), {
    text:
      'SELECT * FROM "t" WHERE ("na me" IS NOT NULL AND ("na me", "id") < ($1, $2)) ' +
      'ORDER BY "na me" DESC, "id" DESC LIMIT 2',
    args: ["x", "7"],
  });
});

Deno.test("pageStatement() goes on with the rows in which the column is NULL, by key", () => {
  const keyset = keysetOf({ size: 2, orderBy: "at", where: { kind: "a" } });
  assertEquals(pageStatement("t", { ...keyset, after: VALUES_END }), {
    text:
      'SELECT * FROM "t" WHERE ("at" IS NULL) AND "kind" = $1 ORDER BY "id" ASC LIMIT 2',
    args: ["a"],
  });
  assertEquals(pageStatement("t", { ...keyset, after: [null, "7"] }), {
    text: 'SELECT * FROM "t" WHERE ("at" IS NULL AND ("id") > ($1)) ' +
      'AND "kind" = $2 ORDER BY "id" ASC LIMIT 2',
    args: ["7", "a"],
  });
  const back = keysetOf({ size: 2, orderBy: "at desc" });
  assertEquals(pageStatement("t", { ...back, after: [null, "7"] }), {
    text: 'SELECT * FROM "t" WHERE ("at" IS NULL AND ("id") < ($1)) ' +
      'ORDER BY "id" DESC LIMIT 2',
    args: ["7"],
  });
});

Deno.test("pageStatement() takes a key that is NULL as the end", () => {
  const { text } = pageStatement("t", { ...keysetOf({}), after: [null] });
  assertEquals(
    text,
    'SELECT * FROM "t" WHERE (("id") > ($1)) ORDER BY "id" ASC LIMIT 100',
  );
});

Deno.test("endOfPage() gives the server's texts of the last row", () => {
  const page = {
    columns: ["at", "x", "id"].map((name) => ({ name, typeOid: 25 })),
    rows: [["1", null, "a"], ["2026-01-01 00:00:00.123456", null, "b"]],
    command: "SELECT",
    rowCount: 2,
    notices: [],
  };
  assertEquals(endOfPage(page, keysetOf({ orderBy: "at" })), [
    "2026-01-01 00:00:00.123456",
    "b",
  ]);
});

Deno.test("endOfPage() leaves out the blanks that fill a CHAR(n), and those alone", () => {
  const page = {
    columns: [{ name: "code", typeOid: 1042 }, { name: "id", typeOid: 25 }],
    rows: [["  a b   ", "7  "]],
    command: "SELECT",
    rowCount: 1,
    notices: [],
  };
  const keyset = keysetOf({ orderBy: "code" });
  assertEquals(endOfPage(page, keyset), ["  a b", "7  "]);
  assertEquals(endOfPage({ ...page, rows: [[null, "7"]] }, keyset), [
    null,
    "7",
  ]);
});

Deno.test("endOfPage() refuses a column that the rows don't show", () => {
  const page = {
    columns: [{ name: "a", typeOid: 25 }],
    rows: [["x"]],
    command: "SELECT",
    rowCount: 1,
    notices: [],
  };
  assertThrows(
    () => endOfPage(page, keysetOf({ key: "rowid" })),
    TypeError,
    'Cannot go on after a page: its rows have no column "rowid"; go by one that isn\'t hidden',
  );
});
