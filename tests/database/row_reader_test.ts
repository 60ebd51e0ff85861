import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { optionsFor, RowReader } from "../../src/database/row_reader.ts";
import { UserTypes } from "../../src/database/user_types.ts";
import type { Column, QueryResult, TextRow } from "../../src/driver/driver.ts";
import { FakeSession } from "../support/fake_driver.ts";

const NUMBERS = [{ name: "n", typeOid: 23 }];
const MOODS = [{ name: "moods", typeOid: 100_002 }];

function newReader() {
  const types = new UserTypes({ int8: "auto", timestamps: "date" });
  return { types, reader: new RowReader(types) };
}

function resultOf(
  columns: readonly Column[],
  rows: TextRow[] = [],
): QueryResult {
  return { columns, rows, command: "SELECT", rowCount: 0, notices: [] };
}

Deno.test("RowReader makes objects of the rows of the last result", () => {
  const { reader } = newReader();
  reader.start([{ name: "a", typeOid: 25 }]);
  reader.add([["an attempt that failed later"]]);
  reader.start(NUMBERS);
  reader.add([["1"], [null]]);
  reader.add([["3"]]);
  assertEquals(reader.finish(resultOf(NUMBERS)), [
    { n: 1 },
    { n: null },
    { n: 3 },
  ]);
});

Deno.test("RowReader takes rows that a driver left in the result", () => {
  const { reader } = newReader();
  assertEquals(reader.finish(resultOf(NUMBERS, [["7"]])), [{ n: 7 }]);
  assertEquals(newReader().reader.finish(resultOf([])), []);
});

Deno.test("RowReader keeps a value that can't be decoded for the end", () => {
  const { reader } = newReader();
  reader.start(NUMBERS);
  reader.add([["1"]]);
  reader.add([["x"]]);
  reader.add([["3"]]);
  assertThrows(
    () => reader.finish(resultOf(NUMBERS)),
    TypeError,
    'Cannot decode column "n" (int4): the text is not a number',
  );
});

Deno.test("RowReader has rows of an unknown type wait for the end, in order", async () => {
  const { types, reader } = newReader();
  const session = new FakeSession();
  const rows = [["100002", "t", "100001", null]];
  session.query = () => Promise.resolve(resultOf([], rows));
  reader.start(MOODS);
  reader.add([["{a}"]]);
  await types.learn(MOODS, session);
  reader.add([["{b}"]]);
  assertEquals(reader.finish(resultOf(MOODS)), [
    { moods: ["a"] },
    { moods: ["b"] },
  ]);
});

Deno.test("optionsFor() keeps the sink from sessions that don't take any", () => {
  const { reader: sink } = newReader();
  const options = { timeoutMs: 1, sink };
  const plain = new FakeSession();
  assertEquals(optionsFor(plain, options), { timeoutMs: 1, sink: undefined });
  const taking = Object.assign(new FakeSession(), { takesSinks: true });
  assertStrictEquals(optionsFor(taking, options), options);
});
