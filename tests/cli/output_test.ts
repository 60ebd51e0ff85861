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

const UNWRITTEN =
  `Cannot write the result: ${FULL}; make standard output writable, and run status to see what the command has done\n`;

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

Deno.test("crdb says that its result can't be written, and exits with 1", async () => {
  for (const options of [[], ["--json"]]) {
    let stderr = "";
    const code = await main(["version", ...options], {
      stdout: BROKEN,
      stderr: { isTerminal: false, write: (text) => void (stderr += text) },
    });
    assertEquals([code, stderr], [1, UNWRITTEN]);
  }
});

Deno.test("crdb says why it failed where the document can't be written, and keeps its exit code", async () => {
  let stderr = "";
  const code = await main(["migrate", "--json", "--tu"], {
    stdout: BROKEN,
    stderr: { isTerminal: false, write: (text) => void (stderr += text) },
  });
  assertEquals([code, stderr], [
    2,
    "Cannot use the option --tu: migrate has no such option; see crdb help migrate\n" +
    UNWRITTEN,
  ]);
});

Deno.test({
  name: "crdb as a process says that a full device doesn't take its result",
  ignore: NEEDS_FULL !== undefined,
  async fn() {
    const child = start(["version"], { flags: [], redirection: ">/dev/full" });
    const { code, stderr } = await child.result();
    assertEquals([code, stderr.replace(" (os error 28)", "")], [1, UNWRITTEN]);
  },
});

databaseTest(
  "crdb waits until its output is written, the progress before the result",
  (_, fresh) =>
    withFolder({ "1_a.sql": "SELECT 1;" }, async (folder) => {
      const texts: string[] = [];
      const slow = (ms: number) => ({
        isTerminal: false,
        async write(text: string) {
          await delay(ms);
          texts.push(text);
        },
      });
      const args = ["migrate", "--url", urlOf(fresh), "--dir", folder];
      const io = { stdout: slow(10), stderr: slow(300) };
      await main(args, io);
      assertEquals(
        texts.map((text) => text.replace(/ in .*\n/, "\n")),
        [
          "Applying 1 a\n",
          "  statement 1 of 1: SELECT 1\n",
          "Applied 1 a\n",
          "1 migration applied\n",
        ],
      );
      await main(["migrate", "--tu"], io);
      assertEquals(
        texts.at(-1),
        "Cannot use the option --tu: migrate has no such option; see crdb help migrate\n",
      );
    }),
);

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
