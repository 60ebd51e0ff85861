/**
 * The directive @BACKFILL: the names and numbers that it takes, and what is refused.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { parse, refusalTest } from "../support/parsing.ts";

for (
  const [table, key] of [
    ["T", "ID"],
    ["_t$1", "größe"],
    ["2024_t", "my-key"],
    ['db."My.Schema".t', '"a.b"'],
    ['"say ""x"""', "𝕜"],
  ]
) {
  Deno.test(`parseMigration() takes ${table} for the table of a backfill and ${key} for its key`, () => {
    const { statements: [{ directives }] } = parse(
      `-- @BACKFILL table=${table} key=${key}\nDELETE FROM t WHERE id BETWEEN $from AND $to`,
    );
    assertEquals([directives.backfill?.table, directives.backfill?.key], [
      table,
      key,
    ]);
  });
}

const FORM = "write @BACKFILL table=… key=… batch=1000 pause=50ms";

for (
  const [text, place, problem] of [
    [
      "-- @BACKFILL key=id\nSELECT 1",
      "1:1",
      `@BACKFILL names no table; ${FORM}`,
    ],
    [
      "-- @BACKFILL table=t\nSELECT 1",
      "1:1",
      `@BACKFILL names no key; ${FORM}`,
    ],
    [
      '-- @BACKFILL table=t key="x,1",y\nSELECT 1',
      "1:1",
      `"key="x,1",y" names several columns, and @BACKFILL takes one; ${FORM}`,
    ],
    ...[".t", "t.", "a.b.c.d", "'t'", '""', '"a"b', "f(x)"].map(
      (table): [string, string, string] => [
        `SELECT 1;\n  -- @BACKFILL table=${table} key=id\nSELECT 1`,
        "2:3",
        `"table=${table}" is not the name of a table, such as users, app.users or "My table"; ${FORM}`,
      ],
    ),
    ...["lower(id)", "t.id", "id::TEXT", "'id'", '""'].map(
      (key): [string, string, string] => [
        `-- @BACKFILL table=t key=${key}\nSELECT 1`,
        "1:1",
        `"key=${key}" is not the name of a column, such as id or "My id"; ${FORM}`,
      ],
    ),
    [
      "-- @BACKFILL table=t key=id size=1\nSELECT 1",
      "1:1",
      `@BACKFILL has no option "size"; ${FORM}`,
    ],
    [
      "-- @BACKFILL table=t table=u\nSELECT 1",
      "1:1",
      `@BACKFILL has "table" twice; ${FORM}`,
    ],
    [
      "-- @BACKFILL table=t all\nSELECT 1",
      "1:1",
      `"all" is not an option of @BACKFILL; ${FORM}`,
    ],
    [
      "-- @BACKFILL table=t key=id batch=0\nSELECT 1",
      "1:1",
      `"batch=0" is not a number of keys; ${FORM}`,
    ],
    [
      "-- @BACKFILL table=t key=id pause=5\nSELECT 1",
      "1:1",
      `"pause=5" is not a pause; ${FORM}`,
    ],
  ]
) {
  refusalTest(text, { place, problem });
}
