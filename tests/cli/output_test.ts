/**
 * What a command comes to where its output can't be written.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { main } from "../../cli.ts";
import { delay } from "../../src/delay.ts";
import { call, start, urlOf, withFolder } from "../support/cli.ts";
import { leastFlags } from "../support/commands.ts";
import { databaseTest } from "../support/database.ts";

const FULL = "No space left on device";
const NEEDS_FULL = Deno.build.os === "linux"
  ? undefined
  : "it needs a device that is always full";

/** Takes nothing. */
const BROKEN = {
  isTerminal: false,
  write() {
    throw new Error(FULL);
  },
};

Deno.test("crdb gives its exit code though the reason can't be written", async () => {
  assertEquals(await main(["migrate", "--tu"], { stderr: BROKEN }), 2);
});

databaseTest(
  "crdb migrate as a process ends well at SIGINT though nothing can be told of it",
  (db, fresh) => {
    const files = {
      "1_a.sql": "CREATE TABLE a (n INT);",
      "2_b.sql": "SELECT pg_sleep(3);",
      "3_c.sql": "SELECT 1;",
    };
    return withFolder(files, async (folder) => {
      const url = urlOf(fresh);
      const child = start(["migrate", "--json", "--dir", folder], {
        flags: leastFlags(url, folder),
        env: { DATABASE_URL: url },
        redirection: "2>/dev/full",
      });
      let isOver = false;
      const result = child.result().finally(() => void (isOver = true));
      while (!isOver && !await db.exists("a")) await delay(50);
      child.send("SIGINT");
      const { code, stdout } = await result;
      const { applied, error } = JSON.parse(stdout);
      assertEquals([code, error.kind], [130, "interrupted"]);
      assertEquals(applied, await db.count("_migrations"));
      const options = ["--lock-timeout", "1s", "--url", url, "--dir", folder];
      assertEquals((await call(["migrate", ...options])).code, 0);
    });
  },
  { ignore: NEEDS_FULL },
);
