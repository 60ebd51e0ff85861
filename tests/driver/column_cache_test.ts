import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ColumnCache } from "../../src/driver/column_cache.ts";
import { rowDescription } from "../support/wire.ts";

function bodyOf(names: string[], typeOid?: number): Uint8Array {
  return rowDescription(names, typeOid).subarray(5);
}

Deno.test("ColumnCache.read() gives the same array for the same bytes, though their buffer was used again", () => {
  const cache = new ColumnCache();
  const buffer = bodyOf(["id"]);
  const columns = cache.read(buffer);
  buffer.fill(0);
  assertStrictEquals(cache.read(bodyOf(["id"])), columns);
  assertEquals(cache.read(bodyOf(["ID"])), [{ name: "ID", typeOid: 25 }]);
  assertEquals(cache.read(bodyOf(["id"], 20)), [{ name: "id", typeOid: 20 }]);
});

Deno.test("ColumnCache.read() tells descriptions apart, however many there are", () => {
  const cache = new ColumnCache();
  for (let index = 0; index < 1_000; index++) {
    const name = `column_${index}`;
    assertEquals(cache.read(bodyOf([name]))[0].name, name);
  }
});

Deno.test("ColumnCache.read() reads descriptions of any length, and refuses one that is cut short", () => {
  const cache = new ColumnCache();
  const names = Array.from({ length: 1_000 }, (_, index) => `column_${index}`);
  const columns = cache.read(bodyOf(names));
  assertEquals(columns.map(({ name }) => name), names);
  assertThrows(() => cache.read(bodyOf(["id"]).subarray(0, -1)), RangeError);
});
