import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { told } from "../../src/cli/told.ts";
import { call } from "../support/cli.ts";
import { commandTest } from "../support/commands.ts";

Deno.test("told() takes passwords out before it cuts, and no long time", () => {
  const url = `postgres://u:${"s3cret".repeat(20)}@h/d`;
  assertEquals(told(`a\n${url} b`), "a postgres://u:***@h/d b");
  const start = performance.now();
  assertEquals(told("http://h:80/,".repeat(100_000), 20).length, 20);
  assert(performance.now() - start < 2_000);
});

const STATEMENT = "SELECT 'postgresql://u:hunter2@h/x'::INT";

commandTest(
  "crdb shows a password of a statement in its plan, and nowhere else",
  {
    "1_a.sql": `CREATE TABLE a (n INT);
CREATE INDEX CONCURRENTLY i ON a (n);
${STATEMENT};
-- @UNDO
DROP TABLE a;`,
  },
  async ({ options }) => {
    for (const command of ["migrate", "status", "verify"]) {
      for (const format of [[], ["--json"]]) {
        const { stdout, stderr } = await call([
          command,
          ...format,
          ...options,
        ]);
        const output = stdout + stderr;
        assertStringIncludes(output, "postgresql://u:***@h/x", command);
        assert(!output.includes("hunter2"), output);
      }
    }
    for (const command of [["plan"], ["migrate", "--dry-run"]]) {
      for (const format of [[], ["--json"]]) {
        const { stdout } = await call([...command, ...format, ...options]);
        assertStringIncludes(stdout, STATEMENT);
      }
    }
  },
);

commandTest(
  "crdb shows no password in what forbids a plan",
  { "1_a.sql": "-- @TIMEOUT postgresql://u:hunter2@h/x\nSELECT 1;" },
  async ({ options }) => {
    for (const format of [[], ["--json"]]) {
      const { stdout } = await call(["plan", ...format, ...options]);
      assertStringIncludes(stdout, "postgresql://u:***@h/x");
    }
  },
);
