import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import config from "../deno.json" with { type: "json" };
import { noteIntent } from "./support/migrations.ts";
import { call, callJson, start, urlOf, withFolder } from "./support/cli.ts";
import { databaseTest, server } from "./support/database.ts";
import { withoutDenoPostgres } from "./support/drivers.ts";

const USERS = `CREATE TABLE users (id INT PRIMARY KEY);
-- @UNDO
DROP TABLE users;
`;
const PETS = `CREATE TABLE pets (id INT PRIMARY KEY);
INSERT INTO pets VALUES (1);
-- @UNDO
DROP TABLE pets;
`;
const FILES = { "1_create_users.sql": USERS, "2_create_pets.sql": PETS };

/** Registers a test with a fresh database and a folder of files; its commands know both. */
function commandTest(
  name: string,
  files: Record<string, string>,
  fn: (
    context: { options: string[]; url: string; folder: string },
  ) => Promise<void>,
): void {
  databaseTest(name, (_, fresh) =>
    withFolder(files, async (folder) => {
      const url = urlOf(fresh);
      await fn({ options: ["--url", url, "--dir", folder], url, folder });
    }));
}

/** Durations and times differ from run to run. */
function withoutTimes(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json, (key, value) => {
    if (key === "durationMs") return typeof value;
    return key === "applied_at" && value !== null ? "a time" : value;
  }));
}

const APPLIED_USERS = {
  version: "1",
  description: "create users",
  durationMs: "number",
};
const APPLIED_PETS = {
  version: "2",
  description: "create pets",
  durationMs: "number",
};

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

commandTest(
  "crdb status shows what is applied, and --exit-code what is pending",
  FILES,
  async ({ options, folder }) => {
    await call(["migrate", "--to", "1", ...options]);
    const { code, stdout } = await call(["status", ...options]);
    assertEquals(code, 0);
    assertEquals(
      stdout.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/, "YYYY-MM-DDTHH:MM:SSZ"),
      `VERSION  STATE    APPLIED AT            DESCRIPTION
1        applied  YYYY-MM-DDTHH:MM:SSZ  create users
2        pending  -                     create pets
1 applied, 1 pending
`,
    );
    const pending = await callJson(["status", "--exit-code", ...options]);
    assertEquals(pending.code, 3);
    assertEquals(withoutTimes(pending.json), {
      command: "status",
      ok: false,
      currentVersion: "1",
      pending: 1,
      migrations: [
        {
          version: "1",
          description: "create users",
          state: "applied",
          applied: true,
          applied_at: "a time",
          path: `${folder}/1_create_users.sql`,
        },
        {
          version: "2",
          description: "create pets",
          state: "pending",
          applied: false,
          applied_at: null,
          path: `${folder}/2_create_pets.sql`,
        },
      ],
    });
    await call(["migrate", ...options]);
    assertEquals((await call(["status", "--exit-code", ...options])).code, 0);
  },
);

commandTest(
  "crdb status is coloured on a terminal, unless it mustn't be",
  FILES,
  async ({ options }) => {
    const isTerminal = { isTerminal: true };
    const plain = await call(["status", "--no-color", ...options], isTerminal);
    assert(!plain.stdout.includes("\x1b"), plain.stdout);
    const { stdout } = await call(["status", ...options], isTerminal);
    assertEquals(stdout.includes("\x1b[33m1 "), !Deno.noColor);
  },
);

commandTest(
  "crdb verify finds an edited file",
  FILES,
  async ({ options, folder }) => {
    await call(["migrate", ...options]);
    assertEquals(await call(["verify", ...options]), {
      code: 0,
      stdout: "No problems found\n",
      stderr: "",
    });
    const file = `${folder}/1_create_users.sql`;
    await Deno.writeTextFile(file, USERS.replace("INT", "BIGINT"));
    const { code, json } = await callJson(["verify", ...options]);
    const { problems, ...rest } = json as {
      problems: { type: string; file: string; message: string }[];
    };
    assertEquals([code, rest], [3, { command: "verify", ok: false }]);
    assertEquals(problems.map(({ type, file }) => [type, file]), [[
      "edited",
      file,
    ]]);
    const { stdout } = await call(["verify", ...options]);
    assertEquals(stdout, `${problems[0].message}\n`);
    assertEquals((await call(["migrate", ...options])).code, 1);
  },
);

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

/** The flags that a command with its own database is documented to need. */
function leastFlags(url: string, folder: string): string[] {
  const { hostname, port } = new URL(url);
  return [
    `--allow-net=${hostname}:${port || 26257}`,
    `--allow-read=${folder}`,
    "--allow-env=DATABASE_URL",
  ];
}

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
