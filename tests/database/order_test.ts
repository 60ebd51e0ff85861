import { assertEquals, assertThrows } from "@std/assert";
import { orderTerms, readOrder } from "../../src/database/order.ts";

Deno.test("readOrder() takes the quotes off a name, and tells what is behind it", () => {
  assertEquals(readOrder('"Odd ""Name""" desc, app.t.id nulls first'), [
    { name: ['Odd "Name"'], direction: "DESC", nulls: undefined },
    { name: ["app", "t", "id"], direction: undefined, nulls: "NULLS FIRST" },
  ]);
});

Deno.test("readOrder() reads a bare name and a quoted one in the same way", () => {
  for (const name of ["id", "Odd Name", "größe", "1st"]) {
    assertEquals(readOrder(name), readOrder(`"${name}"`));
    assertEquals(readOrder(`${name}  DESC`), readOrder(`"${name}" desc`));
  }
});

Deno.test("orderTerms() quotes columns and keeps directions", () => {
  const cases: [string, string][] = [
    ["name", '"name"'],
    ["created_at desc", '"created_at" DESC'],
    ["a ASC, b desc nulls  last,c", '"a" ASC, "b" DESC NULLS LAST, "c"'],
    ["a nulls first", '"a" NULLS FIRST'],
    ["users.name", '"users"."name"'],
    ['"My, ""Column""" desc', '"My, ""Column""" DESC'],
    ["größe", '"größe"'],
    ["desc", '"desc"'],
    ["desc desc", '"desc" DESC'],
    ["Odd Name desc", '"Odd Name" DESC'],
    ["a-b, 1st place asc", '"a-b", "1st place" ASC'],
    ['"a desc" nulls last', '"a desc" NULLS LAST'],
  ];
  for (const [terms, written] of cases) {
    assertEquals(orderTerms(terms), written);
  }
});

Deno.test("orderTerms() refuses everything else", () => {
  const others = [
    "",
    "a,",
    ",a",
    'a "b"',
    'a"b',
    '""',
    "lower(name)",
    "1",
    "a; DROP TABLE t",
    "a.b.",
    "odd name.b",
    "nulls first, (a)",
  ];
  for (const terms of others) {
    assertThrows(
      () => orderTerms(terms),
      TypeError,
      `Cannot order by "${terms}": give columns, each with asc or desc behind it if you like; write other orders with query()`,
    );
  }
});

Deno.test("orderTerms() refuses what is no text", () => {
  for (const terms of [1, null, { name: "desc" }]) {
    assertThrows(
      () => orderTerms(terms as never),
      TypeError,
      `Cannot order by "${terms}": give columns`,
    );
  }
});
