/**
 * `crdb create`, and what `crdb migrate` makes of its files.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { call, callJson, withFolder } from "../../support/cli.ts";
import { commandTest } from "../../support/commands.ts";

commandTest(
  "crdb create makes a file that migrate can apply",
  {},
  async ({ options, folder }) => {
    const made = await call([
      "create",
      "Add",
      "users!",
      "--sql",
      "SELECT 1",
      "--undo",
      "SELECT 2",
      ...options,
    ]);
    assertEquals([made.code, made.stderr], [0, ""]);
    assertMatch(made.stdout, /\/\d{14}_add_users\.sql\n$/);
    assertEquals(
      await Deno.readTextFile(made.stdout.trim()),
      "-- Migration: Add users!\n\nSELECT 1\n\n-- @UNDO\n\nSELECT 2\n",
    );
    assertEquals(
      (await call(["migrate", ...options])).stdout,
      "1 migration applied\n",
    );
    const { json } = await callJson([
      "create",
      "no way back",
      "--sql",
      "SELECT 1",
      ...options,
    ]);
    const { path, ...rest } = json as { path: string };
    assertEquals(rest, { command: "create", ok: true });
    assert(!(await Deno.readTextFile(path)).includes("@UNDO"));
    assertEquals([...Deno.readDirSync(folder)].length, 2);
  },
);

commandTest(
  "crdb create makes a template that migrate refuses until it is filled in",
  {},
  async ({ options }) => {
    const { stdout } = await call(["create", "later", ...options]);
    const path = stdout.trim();
    const { code, json } = await callJson(["migrate", ...options]);
    assertEquals(code, 1);
    const { error } = json as { error: Record<string, unknown> };
    assertEquals(
      error.message,
      `Cannot read the migration ${path}:1:1: it has no forward statement; write one, or delete the file`,
    );
    assertEquals([error.file, error.line], [path, 1]);
    const verified = await call(["verify", ...options]);
    assertEquals([verified.code, verified.stdout], [3, `${error.message}\n`]);
    const status = await call(["status", "--exit-code", ...options]);
    assertEquals(status.code, 3);
    assertMatch(status.stdout, /^\d{14} {2}unreadable {2}- /m);
    assertStringIncludes(status.stdout, `: ${error.message}\n`);
    assertEquals(
      (await call(["rollback", ...options])).stdout,
      "Nothing to roll back\n",
    );
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(
      path,
      text.replace("applies nothing.\n", "applies nothing.\nSELECT 1;\n"),
    );
    assertEquals((await call(["migrate", ...options])).code, 0);
  },
);

Deno.test("crdb create refuses a description without letters, and SQL that migrate would refuse", async () => {
  await withFolder({}, async (folder) => {
    for (
      const args of [
        ["!!"],
        ["x", "--sql", "SELECT 'x"],
        ["x", "--sql", "-- nothing yet"],
        ["x", "--sql", "BEGIN; SELECT 1"],
      ]
    ) {
      const { code, json } = await callJson([
        "create",
        ...args,
        "--dir",
        folder,
      ]);
      assertEquals(code, 2);
      assertEquals((json as { error: { kind: string } }).error.kind, "usage");
    }
    assertEquals([...Deno.readDirSync(folder)], []);
  });
});
