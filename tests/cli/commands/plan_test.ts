/**
 * `crdb plan` and `crdb migrate --dry-run` on a server, which apply nothing.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { call, callJson } from "../../support/cli.ts";
import { commandTest, FILES } from "../../support/commands.ts";

commandTest(
  "crdb migrate --dry-run and plan print the statements and apply nothing",
  FILES,
  async ({ options, folder }) => {
    for (const args of [["migrate", "--dry-run"], ["plan"]]) {
      const result = await call([...args, ...options]);
      assertEquals(result, {
        code: 0,
        stdout: `Apply 1 create users
  1 of 1  ddl  ${folder}/1_create_users.sql:1
    CREATE TABLE users (id INT PRIMARY KEY)

Apply 2 create pets
  1 of 2  ddl  ${folder}/2_create_pets.sql:1
    CREATE TABLE pets (id INT PRIMARY KEY)
  2 of 2  data  ${folder}/2_create_pets.sql:2
    INSERT INTO pets VALUES (1)
`,
        stderr: "",
      });
    }
    const { json } = await callJson(["plan", "--to", "1", ...options]);
    assertEquals(json, {
      command: "plan",
      ok: true,
      migrations: [{
        version: "1",
        description: "create users",
        direction: "up",
        file: `${folder}/1_create_users.sql`,
        done: 0,
        statements: [{
          number: 1,
          kind: "ddl",
          verb: "CREATE TABLE",
          line: 1,
          column: 1,
          text: "CREATE TABLE users (id INT PRIMARY KEY)",
        }],
      }],
      problems: [],
    });
    const status = await callJson(["status", ...options]);
    assertEquals((status.json as { pending: number }).pending, 2);
  },
);

commandTest(
  "crdb plan and migrate --dry-run fail where a run would be refused",
  FILES,
  async ({ options }) => {
    for (const command of ["plan", "migrate"]) {
      const args = command === "plan" ? [] : ["--dry-run"];
      const { code, stdout } = await call([
        command,
        ...args,
        "--to",
        "9",
        ...options,
      ]);
      assertEquals(
        [code, stdout],
        [1, "Cannot migrate to 9: no file has that version; the newest is 2\n"],
      );
    }
  },
);
