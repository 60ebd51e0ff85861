/**
 * Ctrl-C and other signals that end `crdb migrate`, in this process and in one of its own.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { call, callJson, start, withFolder } from "../support/cli.ts";
import {
  commandTest,
  FILES,
  leastFlags,
  USERS,
  withoutTimes,
} from "../support/commands.ts";

const SLEEPERS = {
  "1_sleep.sql": "SELECT pg_sleep(2);",
  "2_create_users.sql": USERS,
};

commandTest(
  "crdb migrate stops after the statement in flight at the first Ctrl-C",
  SLEEPERS,
  async ({ options }) => {
    let isSent = false;
    const { code, json, stderr } = await callJson(["migrate", ...options], {
      onStderr(text, send) {
        if (!text.includes("pg_sleep") || isSent) return;
        isSent = true;
        send("SIGINT");
      },
    });
    assertEquals(code, 130);
    assertEquals(withoutTimes(json), {
      command: "migrate",
      ok: false,
      applied: 1,
      migrations: [{
        version: "1",
        description: "sleep",
        durationMs: "number",
      }],
      error: {
        message: "Interrupted: 1 migration applied; run migrate again to go on",
        kind: "interrupted",
      },
    });
    assertStringIncludes(stderr, "press Ctrl-C again to cancel");
    const again = await call(["migrate", "--lock-timeout", "1s", ...options]);
    assertEquals(again.stdout, "1 migration applied\n");
  },
);

commandTest("crdb migrate exits with 130 after Ctrl-C in its last statement", {
  "1_sleep.sql": "SELECT pg_sleep(1);",
}, async ({ options }) => {
  const { code, stderr } = await call(["migrate", ...options], {
    onStderr: (text, send) => {
      if (text.includes("statement 1 of 1: SELECT")) send("SIGTERM");
    },
  });
  assertEquals(code, 130);
  assertStringIncludes(
    stderr,
    "Interrupted: 1 migration applied; the run was through by then\n",
  );
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  commandTest(
    `crdb migrate as a process ends well at ${signal}`,
    SLEEPERS,
    async ({ url, folder, options }) => {
      const child = start(["migrate", "--dir", folder], {
        flags: leastFlags(url, folder),
        env: { DATABASE_URL: url },
      });
      await child.seen("statement 1 of 1: SELECT pg_sleep");
      child.send(signal);
      const { code, stderr } = await child.result();
      assertEquals(code, 130, stderr);
      assertStringIncludes(
        stderr,
        "Interrupted: 1 migration applied; run migrate again to go on\n",
      );
      const again = await call(["migrate", "--lock-timeout", "1s", ...options]);
      assertEquals(again.stdout, "1 migration applied\n");
    },
  );
}

commandTest(
  "crdb migrate as a process cancels the statement at the second Ctrl-C",
  {
    "1_sleep.sql": "SELECT pg_sleep(300);",
  },
  async ({ url, folder, options }) => {
    const child = start(["migrate", "--dir", folder], {
      flags: leastFlags(url, folder),
      env: { DATABASE_URL: url },
    });
    await child.seen("statement 1 of 1: SELECT pg_sleep");
    child.send("SIGINT");
    await child.seen("press Ctrl-C again");
    child.send("SIGINT");
    const { code, stderr } = await child.result();
    assertEquals(code, 130, stderr);
    assertStringIncludes(
      stderr,
      "Interrupted: 0 migrations applied; run migrate again to go on\n",
    );
    const { json } = await callJson(["status", ...options]);
    assertEquals((json as { pending: number }).pending, 1);
  },
);

Deno.test("crdb migrate as a process leaves a server that doesn't answer at Ctrl-C", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url =
    `postgres://root@127.0.0.1:${listener.addr.port}/d?sslmode=disable`;
  await withFolder(FILES, async (folder) => {
    const child = start(["migrate", "--dir", folder], {
      flags: leastFlags(url, folder),
      env: { DATABASE_URL: url },
    });
    using _silent = await listener.accept();
    child.send("SIGINT");
    const { code, stderr } = await child.result();
    assertEquals([code, stderr.split("\n").slice(-2)], [
      130,
      ["Interrupted: 0 migrations applied; run migrate again to go on", ""],
    ]);
  });
});
