import { assertEquals } from "@std/assert";
import { unescapeString } from "../src/sql_escapes.ts";

Deno.test("unescapeString() knows letters, numbers, and characters that stand for themselves", () => {
  for (
    const [text, expected] of [
      ["plain", "plain"],
      [String.raw`a\tb\\c\'d\q`, "a\tb\\c'dq"],
      [String.raw`\x41\u00e9\U0001F600`, "Aé😀"],
      [String.raw`\101\0`, "A\0"],
    ]
  ) {
    assertEquals(unescapeString(text), expected, text);
  }
});
