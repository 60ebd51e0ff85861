/**
 * The commands that mend what the journal says, on a server: `crdb baseline`, `crdb repair` and `crdb
 * unlock`.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { call, callJson, urlOf, withFolder } from "../../support/cli.ts";
import { commandTest, FILES } from "../../support/commands.ts";
import { databaseTest } from "../../support/database.ts";
import { noteIntent } from "../../support/migrations.ts";

commandTest(
  "crdb baseline notes migrations without running them",
  FILES,
  async ({ options }) => {
    const { code, json } = await callJson(["baseline", "1", ...options]);
    assertEquals([code, json], [0, {
      command: "baseline",
      ok: true,
      version: "1",
      noted: 1,
    }]);
    const { stdout } = await call(["baseline", "1", ...options]);
    assertEquals(stdout, "Nothing to note: all up to 1 are applied\n");
    const unknown = await call(["baseline", "7", ...options]);
    assertEquals([unknown.code, unknown.stderr], [
      1,
      "Cannot take 7 as the baseline: no file has that version; the newest is 2\n",
    ]);
  },
);

commandTest(
  "crdb repair needs an answer and a question",
  FILES,
  async ({ options }) => {
    const unanswered = await call(["repair", "1", ...options]);
    assertEquals([unanswered.code, unanswered.stderr], [
      2,
      "Cannot repair without an answer: the statement was done or it wasn't; give --done or --not-done\n",
    ]);
    const { code, json } = await callJson([
      "repair",
      "1",
      "--done",
      ...options,
    ]);
    assertEquals([code, json], [1, {
      command: "repair",
      ok: false,
      error: {
        message:
          "Cannot repair 1: no statement of it waits for an answer; look at the status",
        kind: "migration",
        version: "1",
      },
    }]);
  },
);

databaseTest(
  "crdb repair --done has migrate go on after the statement",
  (db, fresh) =>
    withFolder(FILES, async (folder) => {
      const options = ["--url", urlOf(fresh), "--dir", folder];
      await call(["migrate", "--to", "1", ...options]);
      await noteIntent(db, {
        version: "2",
        statement: "CREATE TABLE pets (id INT PRIMARY KEY)",
      });
      await db.execute("CREATE TABLE pets (id INT PRIMARY KEY)");
      const repaired = await call(["repair", "2", "--done", ...options]);
      assertEquals(repaired, {
        code: 0,
        stdout: "Noted: the statement that 2 stopped at was done\n",
        stderr: "",
      });
      const { stderr } = await call(["migrate", ...options]);
      assertStringIncludes(
        stderr,
        "Applying 2 create pets, from statement 2 on\n",
      );
      assertEquals(await db.count("pets"), 1);
    }),
);

databaseTest(
  "crdb migrate names the repair command with the options that it was given",
  (db, fresh) =>
    withFolder({
      ...FILES,
      "2_create_pets.sql": "CREATE STATISTICS s ON id FROM users;",
    }, async (folder) => {
      const options = ["--url", urlOf(fresh), "--dir", folder];
      await call(["migrate", "--to", "1", ...options]);
      await noteIntent(db, {
        version: "2",
        statement: "CREATE STATISTICS s ON id FROM users",
      });
      const status = await call(["status", ...options]);
      assertStringIncludes(
        status.stdout,
        "2: whether statement 1 took effect isn't known; run migrate, it finds out\n",
      );
      const { code, stderr } = await call(["migrate", ...options]);
      assertEquals(code, 1);
      for (const answer of ["--done", "--not-done"]) {
        assertStringIncludes(
          stderr,
          `run: crdb repair 2 ${answer} --dir ${folder} --url URL\n`,
        );
      }
    }),
);

commandTest(
  "crdb unlock says whose lease it ended",
  FILES,
  async ({ options, url }) => {
    const nobody = await call(["unlock", "--url", url]);
    assertEquals(nobody.stdout, "Nobody holds the lease\n");
    const { code, json } = await callJson(["unlock", ...options]);
    assertEquals([code, json], [0, {
      command: "unlock",
      ok: true,
      holder: null,
    }]);
  },
);
