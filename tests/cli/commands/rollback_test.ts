/**
 * The commands that undo migrations, on a server: `crdb rollback`, `crdb redo` and `crdb reset`.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { call, callJson } from "../../support/cli.ts";
import {
  APPLIED_PETS,
  APPLIED_USERS,
  commandTest,
  FILES,
  withoutTimes,
} from "../../support/commands.ts";

commandTest(
  "crdb rollback undoes one, several, down to a version, or all",
  FILES,
  async ({ options }) => {
    const rollback = async (...args: string[]) =>
      (await call(["rollback", "--quiet", ...args, ...options])).stdout;
    const migrate = () => call(["migrate", "--quiet", ...options]);
    await migrate();
    assertEquals(await rollback(), "1 migration rolled back\n");
    await migrate();
    assertEquals(await rollback("--count", "2"), "2 migrations rolled back\n");
    await migrate();
    assertEquals(await rollback("--to", "1"), "1 migration rolled back\n");
    assertEquals(await rollback("--all"), "1 migration rolled back\n");
    assertEquals(await rollback(), "Nothing to roll back\n");
  },
);

commandTest(
  "crdb rollback --dry-run prints the undo statements and undoes nothing",
  FILES,
  async ({ options, folder }) => {
    await call(["migrate", ...options]);
    const result = await call(["rollback", "--dry-run", ...options]);
    assertEquals(result, {
      code: 0,
      stdout: `Roll back 2 create pets
  1 of 1  ddl  ${folder}/2_create_pets.sql:4
    DROP TABLE pets
`,
      stderr: "",
    });
    const { json } = await callJson(["rollback", ...options]);
    assertEquals(withoutTimes(json), {
      command: "rollback",
      ok: true,
      undone: 1,
      migrations: [APPLIED_PETS],
    });
  },
);

commandTest(
  "crdb redo undoes the newest and applies it again",
  FILES,
  async ({ options }) => {
    const nothing = await call(["redo", ...options]);
    assertEquals(nothing, { code: 0, stdout: "Nothing to redo\n", stderr: "" });
    await call(["migrate", ...options]);
    const { stdout, stderr } = await call(["redo", ...options]);
    assertEquals(stdout, "1 migration undone and applied again\n");
    assertStringIncludes(stderr, "Rolled back 2 create pets in ");
    const { json } = await callJson(["redo", ...options]);
    assertEquals(withoutTimes(json), {
      command: "redo",
      ok: true,
      redone: 1,
      migrations: [APPLIED_PETS],
    });
  },
);

commandTest(
  "crdb reset undoes all, once that is confirmed",
  FILES,
  async ({ options }) => {
    await call(["migrate", ...options]);
    assertEquals(await call(["reset", ...options]), {
      code: 2,
      stdout: "",
      stderr:
        "Cannot reset without --yes: it undoes every migration, and the data in their tables is lost; run crdb reset --yes\n",
    });
    const { code, json } = await callJson(["reset", "--yes", ...options]);
    assertEquals(code, 0);
    assertEquals(withoutTimes(json), {
      command: "reset",
      ok: true,
      undone: 2,
      migrations: [APPLIED_PETS, APPLIED_USERS],
    });
  },
);
