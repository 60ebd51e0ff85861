import { assertEquals } from "@std/assert";
import { jsonText } from "../../src/database/json_text.ts";
import { databaseTest } from "../support/database.ts";

Deno.test("jsonText() leaves JSON as it is", () => {
  for (const text of ['{"a": "it\'s"}', "\"e'x'\"", "null", "-1", "[]"]) {
    assertEquals(jsonText(text), text);
  }
});

Deno.test("jsonText() takes CockroachDB's literals apart", () => {
  for (
    const [literal, text] of [
      [`'{"a": 1}'`, '{"a": 1}'],
      [`'"it''s"'`, `"it's"`],
      [String.raw`e'"it\'s"'`, `"it's"`],
      [String.raw`e'"\u00E9"'`, '"é"'],
      [String.raw`e'"tab\\t\U0001F600"'`, String.raw`"tab\t😀"`],
      [String.raw`e'"a\\b\\nc"'`, String.raw`"a\b\nc"`],
      [String.raw`e'"\\""'`, String.raw`"\""`],
    ]
  ) {
    assertEquals(jsonText(literal), text, literal);
  }
});

databaseTest("JSONB[] comes back as it went", async (db) => {
  const documents = [
    ...[{ a: 1 }, "it's", "é", "a\\b\nc", [1, "x,y"], '"', "tab\t😀", "\u0001"],
    ...[7, true, { "e'": '{"}' }, null],
  ];
  await db.execute("CREATE TABLE bag (id INT PRIMARY KEY, document JSONB)");
  for (const [id, document] of documents.entries()) {
    const text = JSON.stringify(document);
    await db.execute("INSERT INTO bag VALUES ($1, $2)", [id, text]);
  }
  const [{ all }] = await db.query(
    "SELECT array_agg(document ORDER BY id) AS all FROM bag",
  );
  assertEquals(all, documents);
});
