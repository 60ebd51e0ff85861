/**
 * `crdb migrate` on a server: what it applies, what it says, and where it fails.
 *
 * @module
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { call, callJson, withFolder } from "../../support/cli.ts";
import {
  APPLIED_PETS,
  APPLIED_USERS,
  commandTest,
  FILES,
  USERS,
  withoutTimes,
} from "../../support/commands.ts";
import { server } from "../../support/database.ts";

commandTest(
  "crdb migrate applies, and says what it does",
  FILES,
  async ({ options }) => {
    const { code, stdout, stderr } = await call(["migrate", ...options]);
    assertEquals([code, stdout], [0, "2 migrations applied\n"], stderr);
    assertMatch(
      stderr,
      /^Applying 1 create users\n {2}statement 1 of 1: CREATE TABLE users \(id INT PRIMARY KEY\)\n(?: {2}.*took.*\n)?Applied 1 create users in .*\nApplying 2 create pets\n/,
    );
    const again = await call(["migrate", ...options]);
    assertEquals(again, { code: 0, stdout: "Nothing to apply\n", stderr: "" });
  },
);

commandTest(
  "crdb migrate --to stops there, and --quiet says nothing on the way",
  FILES,
  async ({ options }) => {
    const result = await call(["migrate", "--to", "1", "--quiet", ...options]);
    assertEquals(result, {
      code: 0,
      stdout: "1 migration applied\n",
      stderr: "",
    });
  },
);

commandTest(
  "crdb migrate --json prints one document, and progress apart",
  FILES,
  async ({ options }) => {
    const { code, json, stderr } = await callJson(["migrate", ...options]);
    assertEquals(code, 0);
    assertEquals(withoutTimes(json), {
      command: "migrate",
      ok: true,
      applied: 2,
      migrations: [APPLIED_USERS, APPLIED_PETS],
    });
    assertStringIncludes(stderr, "Applying 1 create users\n");
  },
);

commandTest("crdb migrate exits with 4 while another run holds the lease", {
  "1_wait.sql": "SELECT pg_sleep(3);",
}, async ({ options, url }) => {
  let second: ReturnType<typeof callJson> | undefined;
  let holder: unknown;
  const first = await call(["migrate", ...options], {
    onStderr(text) {
      if (!text.includes("pg_sleep") || second) return;
      second = callJson(["migrate", "--lock-timeout", "1s", ...options])
        .then(async (result) => {
          holder = (await callJson(["unlock", "--url", url])).json;
          return result;
        });
    },
  });
  const { code, json, stderr } = await second!;
  assertEquals(code, 4);
  const { error } = json as { error: { message: string; kind: string } };
  assertEquals(error.kind, "lock");
  assertStringIncludes(error.message, "within 1000 ms");
  assertStringIncludes(stderr, "who holds the lease since");
  assertMatch(String((holder as { holder: string }).holder), /, process \d+$/);
  assertEquals(first.code, 1, "its lease was ended under it");
});

commandTest("crdb migrate shows where a statement failed, and exits with 1", {
  "1_create_users.sql": USERS,
  "2_break.sql": "SELECT 1;\nSELECT * FROM nowhere;",
}, async ({ options, folder }) => {
  const { code, json } = await callJson(["migrate", ...options]);
  assertEquals(code, 1);
  const { error, ...rest } = withoutTimes(json) as {
    error: { message: string };
  };
  assertEquals(rest, {
    command: "migrate",
    ok: false,
    applied: 1,
    migrations: [APPLIED_USERS],
  });
  const { message, ...place } = error;
  assertEquals(place, {
    code: "42P01",
    kind: "undefined",
    version: "2",
    file: `${folder}/2_break.sql`,
    line: 2,
    column: server.kind === "cockroachdb" ? 1 : 15,
  });
  const { stdout, stderr } = await call(["migrate", "--quiet", ...options]);
  assertEquals([stdout, stderr], ["", `${message}\n`]);
});

Deno.test("crdb migrate exits with 5 where there is no folder", async () => {
  await withFolder({}, async (folder) => {
    const dir = `${folder}/none`;
    const { code, stderr } = await call([
      "migrate",
      "--dir",
      dir,
      "--url",
      server.url,
    ]);
    assertEquals([code, stderr], [
      5,
      `Cannot read the migrations folder "${dir}": it does not exist; create it, or name another folder\n`,
    ]);
  });
});
