import { assertEquals, assertMatch } from "@std/assert";
import { databaseTest } from "./support/database.ts";
import { addressOf, modeFlags } from "./support/example.ts";

const ROOT = new URL("..", import.meta.url).pathname;

databaseTest(
  "the examples in the documentation comments run",
  async (_db, { options }) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["test", "--doc", "-A", ...modeFlags()],
        ...["mod.ts", "pg.ts", "testing.ts", "src"],
      ],
      cwd: ROOT,
      env: { DATABASE_URL: addressOf(options), NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    const output = decoder.decode(stdout);
    assertMatch(
      output,
      /^ok \| [1-9]\d* passed/m,
      output + decoder.decode(stderr),
    );
    assertEquals(code, 0);
  },
  { on: ["cockroachdb", "postgresql", "pglite"] },
);
