import { assertEquals } from "@std/assert";
import { Reader } from "../../src/migration/reader.ts";

const APART = "e\u0301";
const TOGETHER = "\u00e9";

Deno.test("Reader.identifier() folds names as the server does", () => {
  const cases: [string, string, string][] = [
    ["Users", "users", "users"],
    ['"Users"', "Users", "Users"],
    ["ÄB", "äb", "Äb"],
    ["ΣΑΣ", "σασ", "ΣΑΣ"],
    ["İx", "ix", "İx"],
    [APART, TOGETHER, APART],
    [`"${APART}"`, TOGETHER, APART],
  ];
  for (const [text, cockroach, postgres] of cases) {
    const read = (kind: "cockroachdb" | "postgresql") =>
      new Reader(text, kind).identifier();
    assertEquals(
      [read("cockroachdb"), read("postgresql")],
      [cockroach, postgres],
      text,
    );
  }
});

Deno.test("Reader.role() folds names in quotes on CockroachDB, too, and takes strings there", () => {
  const read = (text: string, kind: "cockroachdb" | "postgresql") =>
    new Reader(text, kind).role();
  assertEquals(read('"Ada B"', "cockroachdb"), "ada b");
  assertEquals(read('"Ada B"', "postgresql"), "Ada B");
  assertEquals(read("'Ada'", "cockroachdb"), "ada");
  assertEquals(read("'Ada'", "postgresql"), undefined);
  assertEquals(read("Ada", "postgresql"), "ada");
});
