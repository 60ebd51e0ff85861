/**
 * The command as a process that is allowed the least, and what it says of permissions that are
 * missing.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { start } from "../support/cli.ts";
import { commandTest, FILES, leastFlags, USERS } from "../support/commands.ts";
import { withoutDenoPostgres } from "../support/drivers.ts";

const DRIVERS = withoutDenoPostgres === undefined
  ? ["deno-postgres", "pg"]
  : ["pg"];

for (const driver of DRIVERS) {
  commandTest(
    `crdb runs with the least permissions on ${driver}`,
    FILES,
    async ({ url, folder }) => {
      const process = {
        flags: leastFlags(url, folder),
        env: { DATABASE_URL: url },
      };
      const run = (...args: string[]) =>
        start(
          [...args, "--dir", folder, "--driver", driver, "--quiet"],
          process,
        )
          .result();
      assertEquals(await run("migrate"), {
        code: 0,
        stdout: "2 migrations applied\n",
        stderr: "",
      });
      assertEquals((await run("status", "--exit-code")).code, 0);
      assertEquals((await run("verify")).code, 0);
      assertEquals(
        (await run("reset", "--yes")).stdout,
        "2 migrations rolled back\n",
      );
      const { code, stderr } = await run("create", "x");
      assertEquals([code, stderr], [
        5,
        `Cannot write into ${folder}: no permission; run again with --allow-write=${folder}\n`,
      ]);
    },
  );
}

commandTest(
  "crdb names each permission that is missing, with its flag",
  FILES,
  async ({ url, folder }) => {
    const [net, read, env] = leastFlags(url, folder);
    const address = net.replace("--allow-net=", "");
    const run = async (flags: string[]) => {
      const child = start(["migrate", "--dir", folder], {
        flags,
        env: { DATABASE_URL: url },
      });
      const { code, stdout, stderr } = await child.result();
      assertEquals([code, stdout], [5, ""]);
      return stderr;
    };
    assertEquals(
      await run([net, read]),
      "Cannot read the variable DATABASE_URL: no permission; run again with --allow-env=DATABASE_URL, or with --url\n",
    );
    assertEquals(
      await run([net, env]),
      `Cannot read ${folder}: no permission; run again with --allow-read=${folder}\n`,
    );
    assertEquals(
      await run([read, env]),
      `Cannot connect to ${address}: no permission; run again with --allow-net=${address}\n`,
    );
  },
);

commandTest(
  "crdb finds ./migrations where it runs",
  {},
  async ({ url, folder }) => {
    await Deno.mkdir(`${folder}/migrations`);
    await Deno.writeTextFile(`${folder}/migrations/1_create_users.sql`, USERS);
    const [net, , env] = leastFlags(url, folder);
    const child = start(["migrate"], {
      flags: [net, env, "--allow-read=./migrations"],
      env: { DATABASE_URL: url },
      cwd: folder,
    });
    const { code, stdout, stderr } = await child.result();
    assertEquals([code, stdout], [0, "1 migration applied\n"], stderr);
  },
);
