import { assertEquals } from "@std/assert";
import {
  belongsToFirst,
  readCursor,
  writeCursor,
} from "../../src/migration/cursor.ts";
import {
  type MigrationStatement,
  readSection,
} from "../../src/migration/section.ts";

const FILL = "-- @BACKFILL table=t key=id\n" +
  "UPDATE t SET v = v + 1 WHERE id BETWEEN $from AND $to;\n";
const MENDED = FILL.replace("v + 1", "v + 2").replace(
  "key=id",
  "key=id batch=5",
);
const OTHER = FILL.replace("SET v = v", "SET w = w");

function statements(...texts: string[]): MigrationStatement[] {
  return readSection(texts.join("")).statements;
}

Deno.test("readCursor() reads what writeCursor() wrote, and earlier notes", () => {
  const [{ hash }] = statements(FILL);
  assertEquals(readCursor(writeCursor(statements(FILL, OTHER), "9")), {
    table: "t",
    key: "id",
    last: "9",
    hash,
    count: 2,
  });
  assertEquals(readCursor('["t","id","9"]'), {
    table: "t",
    key: "id",
    last: "9",
    hash: undefined,
    count: undefined,
  });
});

Deno.test("belongsToFirst() tells a mended backfill from another one in its place", () => {
  const cases: [before: string[], after: string[], belongs: boolean][] = [
    [[FILL], [FILL], true],
    [[FILL], [MENDED], true],
    [[FILL, OTHER], [MENDED, OTHER], true],
    [[FILL], [FILL.replace("table=t key=id", 'table=T key="id"')], true],
    [[FILL], [FILL, OTHER], true],
    [[FILL], [OTHER, FILL], false],
    [[FILL], [OTHER, MENDED], false],
    [[FILL, OTHER], [OTHER], false],
    [[FILL], [], false],
    [[FILL], ["ALTER TABLE t DROP CONSTRAINT c;\n", FILL], false],
    [[FILL], ["UPDATE t SET v = v + 1;\n"], false],
    [[FILL], [FILL.replace("key=id", "key=k")], false],
    [[FILL], [FILL.replace("table=t", 'table="T"')], false],
  ];
  for (const [before, after, belongs] of cases) {
    const cursor = readCursor(writeCursor(statements(...before), "9"));
    assertEquals(
      belongsToFirst(cursor, statements(...after)),
      belongs,
      after.join(""),
    );
  }
});

Deno.test("belongsToFirst() asks an earlier note for the key alone", () => {
  const cursor = readCursor('["t","id","9"]');
  assertEquals(belongsToFirst(cursor, statements(OTHER, FILL)), true);
  assertEquals(belongsToFirst(cursor, statements("SELECT 1;\n", FILL)), false);
});
