import { assert, assertEquals, assertThrows } from "@std/assert";
import { canBeLong, chunks, textLength } from "../../src/database/chunks.ts";
import { json } from "../../src/database/values.ts";

const MIB = 1024 ** 2;

/** How many items each chunk has. */
function sizes(lengths: number[], chunkSize?: number): number[] {
  const lengthOf = (length: number) => length;
  return [...chunks(lengths, { chunkSize, lengthOf })]
    .map(({ length }) => length);
}

Deno.test("chunks() ends a chunk at its size", () => {
  assertEquals(sizes(Array(5).fill(1), 2), [2, 2, 1]);
  assertEquals(sizes(Array(4_001).fill(1)), [2_000, 2_000, 1]);
  assertEquals(sizes([]), []);
});

Deno.test("chunks() ends a chunk at 4 MiB of text", () => {
  assertEquals(sizes(Array(9).fill(MIB)), [4, 4, 1]);
  assertEquals(sizes(Array(9).fill(MIB), 3), [3, 3, 3]);
});

Deno.test("chunks() sends what is longer alone", () => {
  assertEquals(sizes([1, 1, 9 * MIB, 1, 9 * MIB, 9 * MIB]), [2, 1, 1, 1, 1]);
});

Deno.test("chunks() loses nothing and keeps the order", () => {
  const items = Array.from({ length: 3_000 }, (_, index) => index * 7);
  const cut = [...chunks(items, { lengthOf: (item) => item })];
  assert(cut.length > 3);
  assertEquals(cut.flat(), items);
});

Deno.test("chunks() refuses a size that isn't one", () => {
  for (const chunkSize of [0, -1, 1.5, NaN]) {
    assertThrows(
      () => sizes([1], chunkSize),
      RangeError,
      `Cannot cut a batch by ${chunkSize}: chunkSize is a whole number from 1`,
    );
  }
});

Deno.test("canBeLong() knows the types whose values are short", () => {
  const short = [
    "bigint",
    "integer",
    "double precision",
    "uuid",
    "timestamp with time zone",
    "timestamp(3) without time zone",
  ];
  const long = ["text", "jsonb", "bytea", "numeric", 'app."date"', "dates"];
  assertEquals(short.filter(canBeLong), []);
  assertEquals([...long, "bigint[]", "text[]"].filter(canBeLong).length, 8);
});

Deno.test("textLength() is about the length of what is sent", () => {
  const text = "x".repeat(1_000);
  const values: [unknown, number][] = [
    [null, 0],
    [12, 2],
    [new Date(), 24],
    [text, 1_000],
    [new Uint8Array(500), 1_000],
    [new Uint8Array(500).buffer, 1_000],
    [[text, [text, null]], 2_000],
    [{ a: { [text]: [text] } }, 2_000],
    [json({ a: [text] }), 1_000],
    [{ bytes: new Uint8Array(500) }, 1_000],
  ];
  for (const [value, length] of values) {
    const about = textLength(value);
    assert(about >= length - 16 && about <= length + 64, `${about} ${length}`);
  }
});

Deno.test("textLength() comes to an end with what holds itself, and with what is very long", () => {
  const loop: Record<string, unknown> = {};
  Object.assign(loop, { a: loop, b: loop, list: [loop, loop] });
  assert(textLength(loop) > 4 * MIB);
  let read = 0;
  const list = new Proxy(Array<string>(MIB), {
    get: (list, name) => name === "length" ? list.length : `${read++}`,
  });
  assert(textLength(list) > 4 * MIB);
  assert(read < MIB, `${read} elements were read`);
});
