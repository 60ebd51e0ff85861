/**
 * How the command is used: its help and its version, and what it says where it can't be used like
 * that.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { call, callJson, withFolder } from "../support/cli.ts";
import { server } from "../support/database.ts";

Deno.test("crdb exits with 2 on wrong usage, in text and as JSON", async () => {
  assertEquals(await call(["migrate", "--tu", "7"]), {
    code: 2,
    stdout: "",
    stderr:
      "Cannot use the option --tu: migrate has no such option; see crdb help migrate\n",
  });
  const { code, json } = await callJson(["rollback", "--count", "x"]);
  assertEquals([code, json], [2, {
    command: "rollback",
    ok: false,
    error: {
      message:
        "Cannot use --count x: it is not a number of migrations; give a whole number from 1",
      kind: "usage",
    },
  }]);
  const unknown = await callJson(["lift"]);
  assertEquals([unknown.code, unknown.json], [2, {
    command: null,
    ok: false,
    error: {
      message: 'Cannot run "lift": there is no such command; see crdb help',
      kind: "usage",
    },
  }]);
  const valued = await call(["status", "--json=true"]);
  assertEquals([valued.code, JSON.parse(valued.stdout), valued.stderr], [2, {
    command: "status",
    ok: false,
    error: {
      message:
        "Cannot use --json with a value: it takes none; give --json alone",
      kind: "usage",
    },
  }, ""]);
  for (const args of [["--lease", "1s"], ["--table", "a.b.c.d"]]) {
    const { code } = await call(["status", ...args, "--url", server.url]);
    assertEquals(code, 2);
  }
});

Deno.test("crdb exits with 1 where there is no server, and shows no password", async () => {
  await withFolder({}, async (folder) => {
    for (
      const url of [
        "postgres://ada:secret@127.0.0.1:1/d?sslmode=disable",
        "postgres://ada:secret@127.0.0.1:1/d?sslmod=disable",
        "postgres://ada:secret@127.0.0.1:one/d",
      ]
    ) {
      for (const args of [["--json"], ["--verbose"]]) {
        const { code, stdout, stderr } = await call([
          "status",
          ...args,
          "--dir",
          folder,
          "--url",
          url,
        ]);
        assertEquals(code, url.includes("sslmode") ? 1 : 2, stderr);
        assert(!`${stdout}${stderr}`.includes("secret"), stdout + stderr);
      }
    }
    const { stderr } = await call(["postgres://ada:secret@h/d"]);
    assert(!stderr.includes("secret"), stderr);
  });
});

Deno.test("crdb help shows the commands, and the options of one", async () => {
  const all = await call(["help"]);
  assertEquals(all.code, 0);
  assertStringIncludes(
    all.stdout,
    "  baseline VERSION     note the migrations",
  );
  const one = await call(["rollback", "-h"]);
  assertMatch(
    one.stdout,
    /^Undo the newest migration, or several\n\nUsage: crdb rollback \[OPTIONS\]\n\nOptions:\n {2}--count N {5}how many, newest first; else 1\n/,
  );
  assertEquals(await call(["help", "rollback"]), one);
  const { json } = await callJson(["help", "rollback"]);
  assertEquals(json, {
    command: "help",
    ok: true,
    text: one.stdout.trimEnd(),
  });
  const unknown = await call(["help", "rolback"]);
  assertEquals([unknown.code, unknown.stderr], [
    2,
    'Cannot show the help of "rolback": there is no such command; did you mean rollback?\n',
  ]);
});

Deno.test("crdb version is the package's", async () => {
  const { version } = config;
  assertEquals((await call(["version"])).stdout, `crdb ${version}\n`);
  const { json } = await callJson(["--version"]);
  assertEquals(json, { command: "version", ok: true, version });
});
