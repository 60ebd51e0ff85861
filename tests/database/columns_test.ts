import { assertEquals, assertThrows } from "@std/assert";
import { checkList, columnList } from "../../src/database/columns.ts";

Deno.test("columnList() quotes names, and takes * as all", () => {
  assertEquals(columnList(["id", 'a"b', "*"], ""), '"id", "a""b", *');
  assertEquals(columnList([], ""), "");
});

Deno.test("columnList() and checkList() refuse what is no array", () => {
  for (const columns of ["id", null, 1, { id: true }, new Set(["id"])]) {
    for (const read of [columnList, checkList]) {
      assertThrows(
        () => read(columns as never, "Cannot read t: columns"),
        TypeError,
        'Cannot read t: columns is no list of columns; give one, such as ["id"]',
      );
    }
  }
});
