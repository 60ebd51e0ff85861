import { assertEquals, assertThrows } from "@std/assert";
import {
  batchDeleteStatements,
  batchInsertStatements,
  batchOf,
  batchUpdateStatements,
} from "../../src/database/batch.ts";
import type { Row } from "../../src/database/crud.ts";
import { json } from "../../src/database/values.ts";

const TYPES = new Map([
  ["id", "bigint"],
  ["name", "text"],
  ["data", "jsonb"],
  ["mood", '"app"."Mood"'],
  ["tags", "text[]"],
]);

type Types = ReadonlyMap<string, string>;

const inserts = (
  table: string,
  rows: Row[],
  types: Types,
  options?: Parameters<typeof batchInsertStatements>[2],
) => [...batchInsertStatements(batchOf(table, rows), types, options)];
const updates = (
  table: string,
  rows: Row[],
  types: Types,
  options?: Parameters<typeof batchUpdateStatements>[2],
) => [...batchUpdateStatements(batchOf(table, rows), types, options)];
const deletes = (...args: Parameters<typeof batchDeleteStatements>) => [
  ...batchDeleteStatements(...args),
];

Deno.test("batchInsertStatements() sends a column as an array", () => {
  const rows = [{ id: 1, mood: "ok" }, { mood: null, id: 2 }];
  assertEquals(inserts("app.t", rows, TYPES), [{
    text:
      'INSERT INTO "app"."t" ("id", "mood") SELECT * FROM unnest($1::bigint[], $2::"app"."Mood"[])',
    args: [[1, 2], ["ok", null]],
  }]);
});

Deno.test("batchInsertStatements() cuts chunks and returns what is asked for", () => {
  const rows = [1, 2, 3].map((id) => ({ id }));
  const insert = 'INSERT INTO "t" ("id") SELECT * FROM unnest($1::bigint[])';
  assertEquals(
    inserts("t", rows, TYPES, {
      chunkSize: 2,
      returning: ["id", "na me"],
    }),
    [
      { text: `${insert} RETURNING "id", "na me"`, args: [[1, 2]] },
      { text: `${insert} RETURNING "id", "na me"`, args: [[3]] },
    ],
  );
  const [{ text }] = inserts("t", rows, TYPES, {
    returning: ["*"],
  });
  assertEquals(text, `${insert} RETURNING *`);
  const [all] = inserts("t", rows, TYPES, { returning: true });
  assertEquals(all.text, text);
  const [none] = inserts("t", rows, TYPES, { returning: [] });
  assertEquals(none.text, insert);
  assertThrows(
    () => inserts("t", rows, TYPES, { returning: "id" as never }),
    TypeError,
    "Cannot use returning: it is no list of columns",
  );
});

Deno.test("batchInsertStatements() sends array columns as plain values, within the limit of arguments", () => {
  const rows = Array.from({ length: 40_000 }, (_, id) => ({ id, tags: ["a"] }));
  const chunks = inserts("t", rows, TYPES, { chunkSize: 40_000 });
  assertEquals(chunks.map(({ args }) => args.length), [65_534, 14_466]);
  const [{ text, args }] = inserts("t", rows.slice(0, 2), TYPES);
  assertEquals(
    text,
    'INSERT INTO "t" ("id", "tags") VALUES ($1, $2), ($3, $4)',
  );
  assertEquals(args, [0, ["a"], 1, ["a"]]);
});

Deno.test("batchInsertStatements() takes arrays in a JSON column as JSON, beside array columns too", () => {
  const [plain] = inserts("t", [{ data: [1] }], TYPES);
  assertEquals(plain.args, [[json([1])]]);
  const [mixed] = inserts(
    "t",
    [{ data: [1], tags: ["a"] }],
    TYPES,
  );
  assertEquals(mixed.args, [json([1]), ["a"]]);
});

Deno.test("batchInsertStatements() refuses rows that differ", () => {
  assertThrows(
    () => inserts("t", [{ id: 1 }, { name: "x" }], TYPES),
    TypeError,
    "Cannot write row 1 of the batch to t: its columns are name, those of row 0 are id; give every row the same ones",
  );
  assertThrows(
    () => inserts("t", [{ id: undefined }], TYPES),
    TypeError,
    "Cannot write row 0 of the batch to t: id is undefined; give null for NULL",
  );
  assertThrows(
    () => inserts("t", [{}], TYPES),
    TypeError,
    "Cannot write the batch to t: its rows have no columns; use insert() for rows of defaults",
  );
});

Deno.test("batchOf() refuses what are no rows", () => {
  const refusals: [unknown, string][] = [
    [
      new Set([{ id: 1 }]),
      "Cannot use the rows of the batch for t: they are no array; give them as one",
    ],
    [
      [{ id: 1 }, null],
      "Cannot write row 1 of the batch to t: it is no object; give one, such as { id: 1 }",
    ],
  ];
  for (const [rows, message] of refusals) {
    assertThrows(() => batchOf("t", rows as Row[]), TypeError, message);
  }
});

Deno.test("batchOf() keeps the rows of a list that is used for others later", () => {
  const rows: Row[] = [{ id: 1 }];
  const batch = batchOf("t", rows);
  rows.length = 0;
  assertEquals([...batchInsertStatements(batch, TYPES)][0].args, [[1]]);
});

Deno.test("batchDeleteStatements() refuses keys that are no array", () => {
  assertThrows(
    () => deletes("t", "abc" as never, TYPES),
    TypeError,
    "Cannot use the keys of the batch for t: they are no array; give them as one",
  );
});

Deno.test("batchInsertStatements() refuses columns that there aren't", () => {
  assertThrows(
    () => inserts("t", [{ nmae: 1 }], TYPES),
    TypeError,
    "Cannot write t.nmae: there is no such column; it has id, name, data, mood, tags",
  );
});

Deno.test("batchInsertStatements() refuses a chunk size that isn't one", () => {
  for (const chunkSize of [0, -1, 1.5, NaN]) {
    assertThrows(
      () => inserts("t", [{ id: 1 }], TYPES, { chunkSize }),
      RangeError,
      `Cannot cut a batch by ${chunkSize}: chunkSize is a whole number from 1`,
    );
  }
});

Deno.test("batchUpdateStatements() joins the rows by their key", () => {
  const rows = [{ id: 1, name: "a" }, { id: 2, name: null }];
  assertEquals(updates("t", rows, TYPES), [{
    text: 'UPDATE "t" AS target SET "name" = batch."name" ' +
      'FROM unnest($1::bigint[], $2::text[]) AS batch ("id", "name") ' +
      'WHERE batch."id" = target."id"',
    args: [[1, 2], ["a", null]],
  }]);
});

Deno.test("batchUpdateStatements() casts plain values where a column is an array", () => {
  const rows = [{ id: 1, tags: ["a"] }, { id: 2, tags: null }];
  assertEquals(updates("t", rows, TYPES), [{
    text: 'UPDATE "t" AS target SET "tags" = batch."tags" ' +
      'FROM (VALUES ($1::bigint, $2::text[]), ($3::bigint, $4::text[])) AS batch ("id", "tags") ' +
      'WHERE batch."id" = target."id"',
    args: [1, ["a"], 2, null],
  }]);
});

Deno.test("batchUpdateStatements() refuses rows without a key, or with nothing else", () => {
  assertThrows(
    () => updates("t", [{ name: "a" }], TYPES),
    TypeError,
    'Cannot update t in a batch: the rows have no "id"; add it, or name the key column in key',
  );
  assertThrows(
    () => updates("t", [{ id: 1 }], TYPES),
    TypeError,
    'Cannot update t in a batch: the rows hold nothing but "id"; add the values to set',
  );
});

Deno.test("batchDeleteStatements() sends the keys as one array a chunk", () => {
  assertEquals(
    deletes("t", ["a", "b", "c"], TYPES, {
      key: "mood",
      chunkSize: 2,
    }),
    [["a", "b"], ["c"]].map((keys) => ({
      text: 'DELETE FROM "t" WHERE "mood" = ANY($1::"app"."Mood"[])',
      args: [keys],
    })),
  );
});

Deno.test("Batches end their chunks where the text gets long", () => {
  const text = "x".repeat(1024 ** 2);
  const sizes = (statements: { args: unknown[] }[]) =>
    statements.map(({ args: [first] }) => (first as unknown[]).length);
  const rows = Array.from({ length: 5 }, (_, id) => ({ id, name: text }));
  assertEquals(sizes(inserts("t", rows, TYPES)), [3, 2]);
  assertEquals(sizes(updates("t", rows, TYPES)), [3, 2]);
  const keys = rows.map(({ name }) => name);
  assertEquals(sizes(deletes("t", keys, TYPES, { key: "name" })), [3, 2]);
  const documents = rows.map(({ id, name }) => ({ id, data: { name } }));
  assertEquals(sizes(inserts("t", documents, TYPES)), [3, 2]);
  const lists = rows.map(({ id, name }) => ({ id, tags: [name] }));
  const counts = [...inserts("t", lists, TYPES), ...updates("t", lists, TYPES)]
    .map(({ args }) => args.length);
  assertEquals(counts, [6, 4, 6, 4]);
});
