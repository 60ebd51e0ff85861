import { assertEquals, assertThrows } from "@std/assert";
import { parseMigrations } from "../../src/migration/file.ts";
import type {
  AppliedMigration,
  JournalState,
  Progress,
} from "../../src/migration/journal.ts";
import {
  type Plan,
  planMigrate,
  planRollback,
} from "../../src/migration/plan.ts";
import { historyProblems } from "../../src/migration/problems.ts";

const files = parseMigrations([
  {
    name: "1_a.sql",
    text: "CREATE TABLE a (id INT);\n-- @UNDO\nDROP TABLE a;",
  },
  {
    name: "2_b.sql",
    text:
      "CREATE TABLE b (id INT);\nINSERT INTO b VALUES (1);\n-- @UNDO\nDELETE FROM b;\nDROP TABLE b;",
  },
  { name: "10_c.sql", text: "CREATE TABLE c (id INT);" },
]);

function applied(...versions: string[]): AppliedMigration[] {
  return versions.map((version) => ({
    version,
    description: files.find((file) => file.version === version)?.description ??
      "gone",
    applied_at: new Date("2026-01-02T03:04:05Z"),
    checksum: files.find((file) => file.version === version)?.checksum ?? "0",
    duration_ms: 1,
    applied_by: "somebody",
  }));
}

function state(
  versions: string[],
  progress?: Partial<Progress> & { version: string },
): JournalState {
  return {
    applied: applied(...versions),
    progress: progress && {
      direction: "up",
      done: [],
      intent: null,
      cursor: null,
      error: null,
      ...progress,
    },
    complete: true,
  };
}

Deno.test("planMigrate() refuses steering in an undo part, too, while it can be mended", () => {
  const [file] = parseMigrations([{
    name: "1_a.sql",
    text: "CREATE TABLE a (id INT);\n-- @UNDO\nBEGIN;\nDROP TABLE a;",
  }]);
  const { problems } = planMigrate([file], state([]));
  assertEquals(problems.map(({ type, line }) => [type, line]), [
    ["transaction-statement", 3],
  ]);
});

function steps({ migrations }: Plan): string[] {
  return migrations.map(({ version, direction, done }) =>
    `${direction} ${version} from ${done}`
  );
}

function messages({ problems }: Pick<Plan, "problems">): string[] {
  return problems.map(({ message }) => message);
}

Deno.test("planMigrate() orders versions as numbers", () => {
  assertEquals(steps(planMigrate(files, state([]))), [
    "up 1 from 0",
    "up 2 from 0",
    "up 10 from 0",
  ]);
});

Deno.test("planMigrate() leaves out what is applied, and what is beyond the target", () => {
  const plan = planMigrate(files, state(["1"]), { targetVersion: "2" });
  assertEquals(steps(plan), ["up 2 from 0"]);
  assertEquals(plan.problems, []);
});

Deno.test("planMigrate() takes a target with other zeros before it", () => {
  assertEquals(steps(planMigrate(files, state([]), { targetVersion: "001" })), [
    "up 1 from 0",
  ]);
});

Deno.test("planMigrate() names the kind of each statement", () => {
  const [, second] = planMigrate(files, state([])).migrations;
  assertEquals(
    second.statements.map(({ number, kind, verb }) => [number, kind, verb]),
    [[1, "ddl", "CREATE TABLE"], [2, "data", "INSERT"]],
  );
});

Deno.test("planMigrate() refuses a target that no file has", () => {
  assertEquals(
    messages(planMigrate(files, state([]), { targetVersion: "7" })),
    [
      "Cannot migrate to 7: no file has that version; the newest is 10",
    ],
  );
});

Deno.test("planMigrate() refuses a version below one that is applied, unless told otherwise", () => {
  assertEquals(
    messages(planMigrate(files, state(["10"]), { targetVersion: "1" })),
    [
      "Cannot apply 1_a.sql: 10 is applied already and comes after it; give the file a newer version, or allow out-of-order migrations",
    ],
  );
  const plan = planMigrate(files, state(["10"]), { allowOutOfOrder: true });
  assertEquals(steps(plan), ["up 1 from 0", "up 2 from 0"]);
  assertEquals(plan.problems, []);
});

Deno.test("planMigrate() refuses a file that was edited after it was applied", () => {
  const edited = parseMigrations([{
    name: "1_a.sql",
    text: "CREATE TABLE a (id INT8);",
  }]);
  assertEquals(messages(planMigrate(edited, state(["1"]))), [
    "The migration 1_a.sql was edited after it was applied on 2026-01-02T03:04:05.000Z; restore the file, and make the change in a new migration",
  ]);
});

Deno.test("planMigrate() doesn't take line ends and trailing blanks for an edit", () => {
  const same = parseMigrations([
    {
      name: "1_a.sql",
      text: "CREATE TABLE a (id INT);  \r\n-- @UNDO\r\nDROP TABLE a;\r\n\r\n",
    },
  ]);
  assertEquals(messages(planMigrate(same, state(["1"]))), []);
});

Deno.test("planMigrate() reports the problems of the history by version, whatever order the journal has", () => {
  const { problems } = planMigrate([], state(["10", "1", "9", "2"]));
  assertEquals(problems.map(({ version }) => version), ["1", "2", "9", "10"]);
});

Deno.test("planMigrate() reports an applied migration whose file is missing", () => {
  assertEquals(
    messages(planMigrate(files, state(["1", "5"]), { targetVersion: "1" })),
    [
      "The file of the applied migration 5 (gone) is missing; restore it, or keep migrations of another folder in a table of their own",
    ],
  );
});

Deno.test("planMigrate() doesn't check a row without a checksum, as the Python client writes it", () => {
  const [row] = applied("1");
  const adopted: JournalState = {
    applied: [{ ...row, checksum: null }],
    progress: undefined,
    complete: false,
  };
  assertEquals(historyProblems(files, adopted), []);
});

Deno.test("planMigrate() goes on with a half-applied migration after the statements that are done", () => {
  const [first] = files[1].statements;
  const plan = planMigrate(
    files,
    state(["1"], { version: "2", done: [first.hash] }),
  );
  assertEquals(steps(plan), ["up 2 from 1", "up 10 from 0"]);
  assertEquals(plan.migrations[0].statements.map(({ number }) => number), [2]);
});

Deno.test("planMigrate() refuses to go on where a statement that is done was edited", () => {
  const plan = planMigrate(
    files,
    state(["1"], { version: "2", done: ["another hash"] }),
  );
  assertEquals(messages(plan), [
    "Cannot go on with 2_b.sql:1: statement 1 was edited or removed after it was done; restore it, and change only what comes after the statement that is done",
  ]);
});

Deno.test("planMigrate() refuses to go on where the statement in flight was edited or removed", () => {
  const [first, second] = files[1].statements;
  const intent = { ordinal: 1, at: new Date(0), before: null, facts: null };
  const inFlight = (hash?: string, ordinal = 1) =>
    messages(planMigrate(
      files,
      state(["1"], {
        version: "2",
        done: [first.hash],
        intent: { ...intent, ordinal, hash },
      }),
    ));
  const restore =
    "was edited or removed after it was sent, and what became of it isn't known yet; " +
    "restore it until a run has found that out";
  assertEquals(inFlight(second.hash), []);
  assertEquals(inFlight("another hash"), [
    `Cannot go on with 2_b.sql:2: statement 2 ${restore}`,
  ]);
  // Earlier notes have no hash.
  assertEquals(inFlight(undefined), []);
  assertEquals(inFlight(undefined, 2), [
    `Cannot go on with 2_b.sql: statement 3 ${restore}`,
  ]);
});

Deno.test("planRollback() refuses to go on where the statement in flight was edited", () => {
  const intent = { ordinal: 0, at: new Date(0), before: null, facts: null };
  const plan = planRollback(
    files,
    state(["1", "2"], {
      version: "2",
      direction: "down",
      intent: { ...intent, hash: "another hash" },
    }),
  );
  assertEquals(plan.problems.map(({ type, line }) => [type, line]), [
    ["edited", 4],
  ]);
});

Deno.test("planMigrate() finishes an interrupted rollback first, and applies its migration again", () => {
  const [first] = files[1].undoStatements!;
  const interrupted = state(["1", "2"], {
    version: "2",
    direction: "down",
    done: [first.hash],
  });
  assertEquals(steps(planMigrate(files, interrupted)), [
    "down 2 from 1",
    "up 2 from 0",
    "up 10 from 0",
  ]);
});

Deno.test("planMigrate() refuses BEGIN and COMMIT, and says why", () => {
  const steering = parseMigrations([
    { name: "1_a.sql", text: "BEGIN;\nCREATE TABLE a (id INT);\nCOMMIT;" },
  ]);
  assertEquals(messages(planMigrate(steering, state([]))), [
    "Cannot run BEGIN in 1_a.sql:1: statements are run and noted one by one, for CockroachDB commits an open transaction before a schema change; remove it",
    "Cannot run COMMIT in 1_a.sql:3: statements are run and noted one by one, for CockroachDB commits an open transaction before a schema change; remove it",
  ]);
});

Deno.test("planRollback() takes the newest first, and one by default", () => {
  assertEquals(steps(planRollback(files, state(["1", "2"]))), [
    "down 2 from 0",
  ]);
  assertEquals(steps(planRollback(files, state(["2", "1"]), { count: 5 })), [
    "down 2 from 0",
    "down 1 from 0",
  ]);
});

Deno.test("planRollback() keeps the target version", () => {
  assertEquals(
    steps(planRollback(files, state(["1", "2"]), { targetVersion: "1" })),
    [
      "down 2 from 0",
    ],
  );
});

Deno.test("planRollback() refuses a target that isn't applied", () => {
  assertEquals(
    messages(planRollback(files, state(["1"]), { targetVersion: "2" })),
    [
      "Cannot roll back to 2: it isn't applied; the newest that is applied is 1",
    ],
  );
});

Deno.test("planRollback() refuses a migration without an undo part, before it plans the others", () => {
  assertEquals(
    messages(planRollback(files, state(["1", "2", "10"]), { count: 2 })),
    [
      'Cannot roll back 10_c.sql: it has no undo part; add one below a line "-- @UNDO"',
    ],
  );
});

Deno.test("planRollback() refuses while a migration is half applied", () => {
  const [first] = files[1].statements;
  assertEquals(
    messages(
      planRollback(files, state(["1"], { version: "2", done: [first.hash] })),
    ),
    ["Cannot roll back: 2 is half applied, with 1 statement of it done; finish it with migrate first"],
  );
});

Deno.test("planRollback() refuses a count that is no whole number", () => {
  assertThrows(
    () => planRollback(files, state(["1"]), { count: -1 }),
    RangeError,
    "Cannot roll back -1 migrations: count is a whole number from 0",
  );
});

Deno.test("planRollback() finishes an interrupted rollback first", () => {
  const [first] = files[0].undoStatements!;
  const interrupted = state(["1", "2"], {
    version: "1",
    direction: "down",
    done: [first.hash],
  });
  assertEquals(steps(planRollback(files, interrupted)), [
    "down 1 from 1",
    "down 2 from 0",
  ]);
});
