import { assertEquals } from "@std/assert";
import { type Evidence, settlementOf } from "../../src/migration/settlement.ts";
import { classify } from "../../src/migration/statement.ts";

type Held = Evidence["now"];

function after(sql: string, before: Held, now: Held): string {
  const { effects = [], idempotent } = classify(sql);
  return settlementOf({ effects, idempotent, before, now });
}

Deno.test("settlementOf() looks at what wasn't held before", () => {
  const sql = "ALTER TABLE t ADD COLUMN a INT, DROP COLUMN b";
  assertEquals(after(sql, [false, false], [true, true]), "done");
  assertEquals(after(sql, [false, false], [false, false]), "not-done");
  assertEquals(after(sql, [false, false], [true, false]), "unknown");
  assertEquals(after(sql, [true, false], [true, false]), "not-done");
  assertEquals(after(sql, [true, false], [true, true]), "done");
});

Deno.test("settlementOf() leaves out what the catalog can't tell", () => {
  const sql = "ALTER TABLE t ADD COLUMN a INT, ALTER b SET DEFAULT 1";
  assertEquals(after(sql, [false, null], [true, null]), "done");
  assertEquals(after(sql, [false, null], [false, null]), "not-done");
  assertEquals(after(sql, [false, null], [null, null]), "unknown");
  assertEquals(after(sql, [null, null], [true, null]), "unknown");
});

Deno.test("settlementOf() knows what the server refuses, and what can be done again", () => {
  assertEquals(after("CREATE TABLE t (a INT)", [true], [true]), "not-done");
  assertEquals(after("CREATE INDEX ON t (a)", [true], [true]), "unknown");
  const again = "ALTER TABLE t ALTER a SET DEFAULT 1";
  assertEquals(after(again, [null], [null]), "not-done");
  const convert = "ALTER TABLE t ALTER a TYPE INT USING a * 2";
  assertEquals(after(convert, [true], [true]), "unknown");
  assertEquals(after("FROBNICATE", [], []), "unknown");
});
