import { assertEquals, assertThrows } from "@std/assert";
import { SqlTextError } from "../../src/errors.ts";
import { identifier, templateStatement } from "../../src/database/template.ts";

function sql(strings: TemplateStringsArray, ...values: unknown[]) {
  return templateStatement(strings, values);
}

Deno.test("templateStatement() binds values, and splices identifiers quoted", () => {
  const name = "x'; DROP TABLE users; --";
  assertEquals(
    sql`SELECT * FROM ${
      identifier("app.users")
    } WHERE name = ${name} OR id = ${1}`,
    {
      text: 'SELECT * FROM "app"."users" WHERE name = $1 OR id = $2',
      args: [name, 1],
    },
  );
});

Deno.test("templateStatement() takes a template without values", () => {
  assertEquals(sql`SELECT 1`, { text: "SELECT 1", args: [] });
});

Deno.test("templateStatement() reads escapes as JavaScript does, and refuses those that aren't any", () => {
  assertEquals(sql`SELECT '\\d\n'`.text, "SELECT '\\d\n'");
  assertThrows(
    () => sql`SELECT '\x'`,
    TypeError,
    "Cannot read the template: it holds an escape that JavaScript doesn't know; write each backslash twice",
  );
});

Deno.test("identifier() doubles quotes, and refuses what is no name", () => {
  assertEquals(String(identifier('a"b')), '"a""b"');
  assertThrows(() => identifier(""), SqlTextError);
  assertThrows(() => identifier("a."), SqlTextError);
});
