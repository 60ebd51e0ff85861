import { assertEquals, assertMatch } from "@std/assert";
import { databaseTest } from "./support/database.ts";
import { runExample } from "./support/example.ts";

const readme = await Deno.readTextFile(
  new URL("../README.md", import.meta.url),
);

function firstExample(): string {
  const [, code] = /## Use\n\n```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  return code ?? "";
}

Deno.test("the README's example has at most 20 lines of code", () => {
  const lines = firstExample().split("\n").filter((line) => line.trim() !== "");
  assertMatch(firstExample(), /new Migration/);
  assertEquals(lines.length <= 20, true, `${lines.length} lines`);
});

databaseTest(
  "the README's example runs as it stands there",
  async (_db, { options }) => {
    const { code, output } = await runExample(firstExample(), options);
    assertEquals(
      output,
      "Applied 1 migrations\nAda was here 1 time\nRolled back 1 migrations\n",
    );
    assertEquals(code, 0);
  },
  { on: ["cockroachdb", "postgresql", "pglite"] },
);

databaseTest(
  "the guide's complete example runs, and leaves nothing behind",
  async (db, { options }) => {
    const guide = await Deno.readTextFile(
      new URL("../examples/guide.ts", import.meta.url),
    );
    const { code, output } = await runExample(guide, options);
    assertMatch(
      output,
      /^Loaded 2 migrations\nVersion \d{14}: create users table\nVersion \d{14}: add age column\nApplied 2 migrations\nUsers in database: 1\nRolled back 1 migrations\nApplied 1 migrations\n$/,
    );
    assertEquals(code, 0);
    for (
      const table of [
        "users",
        "_migrations",
        "_migrations_journal",
        "_migrations_lease",
      ]
    ) {
      assertEquals(await db.exists(table), false);
    }
  },
  { on: ["cockroachdb", "postgresql", "pglite"] },
);
