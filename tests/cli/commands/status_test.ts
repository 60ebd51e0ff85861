/**
 * The commands that only look, on a server: `crdb status` and `crdb verify`.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { call, callJson } from "../../support/cli.ts";
import {
  commandTest,
  FILES,
  USERS,
  withoutTimes,
} from "../../support/commands.ts";

commandTest(
  "crdb status shows what is applied, and --exit-code what is pending",
  FILES,
  async ({ options, folder }) => {
    await call(["migrate", "--to", "1", ...options]);
    const { code, stdout } = await call(["status", ...options]);
    assertEquals(code, 0);
    assertEquals(
      stdout.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/, "YYYY-MM-DDTHH:MM:SSZ"),
      `VERSION  STATE    APPLIED AT            DESCRIPTION
1        applied  YYYY-MM-DDTHH:MM:SSZ  create users
2        pending  -                     create pets
1 applied, 1 pending
`,
    );
    const pending = await callJson(["status", "--exit-code", ...options]);
    assertEquals(pending.code, 3);
    assertEquals(withoutTimes(pending.json), {
      command: "status",
      ok: false,
      currentVersion: "1",
      pending: 1,
      migrations: [
        {
          version: "1",
          description: "create users",
          state: "applied",
          applied: true,
          applied_at: "a time",
          path: `${folder}/1_create_users.sql`,
        },
        {
          version: "2",
          description: "create pets",
          state: "pending",
          applied: false,
          applied_at: null,
          path: `${folder}/2_create_pets.sql`,
        },
      ],
    });
    await call(["migrate", ...options]);
    assertEquals((await call(["status", "--exit-code", ...options])).code, 0);
  },
);

commandTest(
  "crdb status is coloured on a terminal, unless it mustn't be",
  FILES,
  async ({ options }) => {
    const isTerminal = { isTerminal: true };
    const plain = await call(["status", "--no-color", ...options], isTerminal);
    assert(!plain.stdout.includes("\x1b"), plain.stdout);
    const { stdout } = await call(["status", ...options], isTerminal);
    assertEquals(stdout.includes("\x1b[33m1 "), !Deno.noColor);
  },
);

commandTest(
  "crdb status gives the advice of the failure that left a migration half applied",
  {
    "1_a.sql": `CREATE TABLE a (n INT);
CREATE INDEX CONCURRENTLY i ON a (n);
-- @TIMEOUT 200ms
SELECT pg_sleep(5);`,
  },
  async ({ options }) => {
    const { stderr } = await call(["migrate", ...options]);
    const [reason] = /Cannot finish the statement within .*@TIMEOUT/.exec(
      stderr,
    ) ?? [];
    const { stdout } = await call(["status", ...options]);
    assertStringIncludes(stdout, `1: ${reason}, or shorten the statement\n`);
  },
);

commandTest(
  "crdb verify finds an edited file",
  FILES,
  async ({ options, folder }) => {
    await call(["migrate", ...options]);
    assertEquals(await call(["verify", ...options]), {
      code: 0,
      stdout: "No problems found\n",
      stderr: "",
    });
    const file = `${folder}/1_create_users.sql`;
    await Deno.writeTextFile(file, USERS.replace("INT", "BIGINT"));
    const { code, json } = await callJson(["verify", ...options]);
    const { problems, ...rest } = json as {
      problems: { type: string; file: string; message: string }[];
    };
    assertEquals([code, rest], [3, { command: "verify", ok: false }]);
    assertEquals(problems.map(({ type, file }) => [type, file]), [[
      "edited",
      file,
    ]]);
    const { stdout } = await call(["verify", ...options]);
    assertEquals(stdout, `${problems[0].message}\n`);
    assertEquals((await call(["migrate", ...options])).code, 1);
  },
);
