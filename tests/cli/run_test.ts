import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createReporter } from "../../src/cli/reporter.ts";
import { runMigrations } from "../../src/cli/run.ts";
import { Arguments } from "../../src/cli/values.ts";
import type { Database } from "../../src/database/database.ts";
import { MigrationError } from "../../src/errors.ts";
import type { MigrationEvent } from "../../src/migration/events.ts";
import { Migration } from "../../src/migration/migrator.ts";
import {
  call,
  callJson,
  type Signal,
  urlOf,
  withFolder,
} from "../support/cli.ts";
import { databaseTest } from "../support/database.ts";

/** Its undo part needs two steps on every server, and can stop between them. */
function file(version: number): string {
  const table = `t${version}`;
  const divided = (direction: string) =>
    `INSERT INTO ${table} SELECT (1 / n)::INT FROM gate WHERE step = '${direction} ${version}';`;
  return `CREATE TABLE ${table} (n INT);
${divided("up")}
-- @UNDO
CREATE INDEX CONCURRENTLY i${version} ON ${table} (n);
${divided("down")}
DROP TABLE ${table};
`;
}

const FILES = Object.fromEntries(
  [1, 2, 3, 4].map((version) => [`${version}_t.sql`, file(version)]),
);

/** Registers a test with a database where a count of migrations is applied. */
function runTest(
  name: string,
  applied: number,
  fn: (
    context: {
      db: Database;
      options: string[];
      versions: () => Promise<string[]>;
    },
  ) => Promise<void>,
): void {
  databaseTest(name, (db, fresh) =>
    withFolder(FILES, async (folder) => {
      const options = ["--url", urlOf(fresh), "--dir", folder];
      await db.execute("CREATE TABLE gate (step TEXT, n INT)");
      await db.execute(
        "INSERT INTO gate SELECT d || ' ' || v, 1 FROM unnest(ARRAY['up', 'down']) d, generate_series(1, 4) v",
      );
      if (applied > 0) {
        await call(["migrate", "--to", String(applied), ...options]);
      }
      const migration = new Migration(db, { migrationsDir: folder });
      const versions = async () =>
        (await migration.getAppliedMigrations()).map(({ version }) => version);
      await fn({ db, options, versions });
    }));
}

/** A command, what was applied before, where it is interrupted, what it says, what that leaves. */
const INTERRUPTIONS: [string, number, string, string, string[]][] = [
  ["rollback --count 3", 4, "INDEX CONCURRENTLY i3", "rollback --count 2", [
    "1",
  ]],
  ["rollback --count 2", 4, "INDEX CONCURRENTLY i4", "rollback --count 2", [
    "1",
    "2",
  ]],
  ["rollback --to 1", 4, "INDEX CONCURRENTLY i3", "rollback --to 1", ["1"]],
  ["rollback --all", 3, "INDEX CONCURRENTLY i2", "rollback --all", []],
  ["reset --yes", 3, "INDEX CONCURRENTLY i2", "reset --yes", []],
  ["rollback", 2, "INDEX CONCURRENTLY i2", "rollback again", ["1"]],
  ["redo", 2, "INDEX CONCURRENTLY i2", "redo again", ["1", "2"]],
  ["redo", 2, "Rolled back 2 t", "migrate --to 2", ["1", "2"]],
  ["migrate --to 3", 1, "CREATE TABLE t2", "migrate --to 3", ["1", "2", "3"]],
];

for (const [command, applied, text, rest, left] of INTERRUPTIONS) {
  runTest(
    `crdb ${command} interrupted at "${text}" says how to end where it was to end`,
    applied,
    async ({ options, versions }) => {
      let isSent = false;
      const onStderr = (line: string, send: (signal: Signal) => void) => {
        if (!line.includes(text) || isSent) return;
        isSent = true;
        send("SIGINT");
      };
      const { code, stderr } = await call(
        [...command.split(" "), ...options],
        { onStderr },
      );
      assertEquals(code, 130, stderr);
      const [, advised] = /; run (.*) to go on\n$/.exec(stderr) ?? [];
      assertEquals(advised, rest, stderr);
      const args = advised.replace(/ again$/, "").split(" ");
      const again = await call([...args, ...options]);
      assertEquals([again.code, await versions()], [0, left], again.stderr);
    },
  );
}

/** A command, what was applied before, where it fails, its words, what they lead to. */
const FAILURES: [string, number, string, RegExp, string[]][] = [
  [
    "rollback --count 3",
    4,
    "down 3",
    /on, and run (rollback --count 2); this migration counts as its first\.$/,
    ["1"],
  ],
  ["rollback --to 1", 4, "down 3", /run (rollback --to 1);/, ["1"]],
  ["rollback --all", 2, "down 1", /run (rollback --all);/, []],
  ["redo", 2, "down 2", /run (redo) again;/, ["1", "2"]],
  ["redo", 2, "up 2", /run (migrate --to 2)\.$/, ["1", "2"]],
  ["migrate --to 3", 1, "up 3", /run (migrate --to 3)\.$/, [
    "1",
    "2",
    "3",
  ]],
];

for (const [command, applied, step, words, left] of FAILURES) {
  runTest(
    `crdb ${command} that fails at ${step} says how to end where it was to end`,
    applied,
    async ({ db, options, versions }) => {
      await db.execute("UPDATE gate SET n = 0 WHERE step = $1", [step]);
      const { code, json, stderr } = await callJson([
        ...command.split(" "),
        ...options,
      ]);
      assertEquals(code, 1, stderr);
      const { message } = (json as { error: { message: string } }).error;
      assertMatch(message, words);
      await db.execute("UPDATE gate SET n = 1");
      const args = words.exec(message)![1].split(" ");
      const again = await call([...args, ...options]);
      assertEquals([again.code, await versions()], [0, left], again.stderr);
    },
  );
}

/** What {@linkcode runMigrations} is given beside its words, and what sends it a signal. */
function contextOf(options: Record<string, string>) {
  const stream = { isTerminal: false, write: () => {} };
  let listener: ((signal: Signal) => void) | undefined;
  const io = {
    stdout: stream,
    stderr: stream,
    listen(heard: (signal: Signal) => void) {
      listener = heard;
      return () => {};
    },
  };
  const args = new Arguments(
    new Map(Object.entries(options)),
    new Set(["quiet"]),
    [],
  );
  return {
    context: { args, io, reporter: createReporter(args, io) },
    send: (signal: Signal) => listener?.(signal),
  };
}

databaseTest(
  "runMigrations() counts what is applied, and waits for it, though nothing can be told of it",
  (_, fresh) => {
    const files = { "1_a.sql": "SELECT 1;", "2_b.sql": "SELECT pg_sleep(2);" };
    return withFolder(files, async (dir) => {
      const { context, send } = contextOf({ url: urlOf(fresh), dir });
      const reporter = {
        ...context.reporter,
        onEvent(event: MigrationEvent) {
          if (event.type === "statement-started" && event.version === "2") {
            send("SIGINT");
          }
          throw new Error("No space left on device");
        },
      };
      const words = {
        direction: "up",
        key: "applied",
        done: "applied",
        nothing: "Nothing to apply",
        goOn: () => "migrate again",
      } as const;
      const { data, error } = await runMigrations(
        { ...context, reporter },
        words,
        (migration, options) => migration.migrate(options),
      );
      assertEquals(
        [data?.applied, (error as DOMException).message],
        [2, "Interrupted: 2 migrations applied; the run was through by then"],
      );
    });
  },
);

Deno.test("runMigrations() names no command where another migration may be undone already", async () => {
  const { context, send } = contextOf({ url: "postgres://root@localhost/d" });
  const words = {
    direction: "down",
    key: "undone",
    done: "rolled back",
    nothing: "",
    goOn: () => "rollback --count 2",
  } as const;
  const { error } = await runMigrations(
    context,
    words,
    () => {
      send("SIGINT");
      send("SIGINT");
      throw new MigrationError(
        "Not known yet: run crdb status first; where 3 is gone, that counts, else run rollback; it is the first.",
      );
    },
  );
  const { message } = error as DOMException;
  assertStringIncludes(
    message,
    "Interrupted: 0 migrations rolled back; whether another one is isn't known yet\n",
  );
  assertStringIncludes(
    message,
    "else run rollback --count 2; it is the first.",
  );
});
