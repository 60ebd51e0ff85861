import { assertEquals } from "@std/assert";
import { DatabaseError } from "../../src/errors.ts";
import {
  type FailureOptions,
  landingFailure,
  statementFailure,
} from "../../src/migration/failure.ts";
import { parseMigrations } from "../../src/migration/file.ts";
import { planMigrate } from "../../src/migration/plan.ts";
import { planned } from "../../src/migration/planned.ts";

const EMPTY = { applied: [], progress: undefined, complete: true };

/** What is said of the failure of the last statement of a file. */
function said(
  text: string,
  error: DatabaseError,
  options: FailureOptions,
): string {
  const files = parseMigrations([{ name: "1_a.sql", text }]);
  const [migration] = planMigrate(files, EMPTY).migrations;
  const planned = migration.statements.at(-1)!;
  return statementFailure(error, migration, planned, options).message;
}

Deno.test("statementFailure() says where, why, what is done and what to do", () => {
  const error = new DatabaseError({
    code: "42703",
    message: 'column "agee" does not exist',
    position: 12,
    hint: "Perhaps you meant age.",
  });
  assertEquals(
    said("CREATE TABLE t (age INT);\nSELECT age, agee FROM t;", error, {
      done: 1,
      outcome: "nothing",
    }),
    'Cannot apply 1_a.sql:2:12: column "agee" does not exist (SQLSTATE 42703)\n' +
      "  SELECT age, agee FROM t;\n" +
      "             ^\n" +
      "Hint: Perhaps you meant age.\n" +
      "Statement 1 is done and noted, the rest is not; the migration is not applied. " +
      "Mend the file from statement 2 on, and run migrate again.",
  );
});

Deno.test("statementFailure() names the directive where the time was up", () => {
  const error = new DatabaseError({
    code: "57014",
    message:
      "Cannot finish the statement within 10 ms: it was cancelled; raise timeoutMs, or shorten the statement",
  });
  assertEquals(
    said("-- @TIMEOUT 10ms\nSELECT 1;", error, { done: 0, outcome: "nothing" })
      .split("\n")[0],
    "Cannot apply 1_a.sql:2:1: Cannot finish the statement within 10 ms: it was cancelled; " +
      "raise its -- @TIMEOUT, or shorten the statement (SQLSTATE 57014)",
  );
});

Deno.test("statementFailure() tells of an index that is left behind", () => {
  const error = new DatabaseError({ code: "23505", message: "not unique" });
  const lineOf = (sql: string) =>
    said(sql, error, { done: 0, outcome: "nothing" }).split("\n").at(-2);
  assertEquals(
    lineOf("CREATE UNIQUE INDEX CONCURRENTLY i ON t (a);"),
    "PostgreSQL keeps such an index, which isn't valid then: the next run of this statement drops it first.",
  );
  assertEquals(
    lineOf("CREATE UNIQUE INDEX CONCURRENTLY ON t (a);"),
    "PostgreSQL keeps such an index, which isn't valid then: drop it before you run this again.",
  );
});

Deno.test("statementFailure() asks for no mending where the connection was lost", () => {
  for (const [code, message] of [["08006", "lost"], ["40001", "again"]]) {
    const error = new DatabaseError({ code, message });
    assertEquals(
      said("SELECT 1;\nSELECT 2;", error, { done: 0, outcome: "nothing" })
        .split("\n").at(-1),
      "Nothing of it is done, the migration is not applied. Run migrate again.",
    );
  }
});

Deno.test("statementFailure() says up to which key a backfill is done", () => {
  const error = new DatabaseError({ code: "22012", message: "no" });
  const last = (done: number) =>
    said("SELECT 1;\n".repeat(done + 1), error, {
      done,
      upTo: "1000",
      outcome: "nothing",
    }).split("\n").at(-1);
  assertEquals(
    last(0),
    "Statement 1 up to key 1000 is done and noted, the rest is not; the migration is not applied. " +
      "Mend the file from statement 1 on, and run migrate again: it goes on behind that key.",
  );
  assertEquals(
    last(1),
    "Statement 1 is done and noted, statement 2 up to key 1000, the rest is not; the migration is not applied. " +
      "Mend the file from statement 2 on, and run migrate again: it goes on behind that key.",
  );
});

const UNKNOWN_UNDO =
  "Whether it is rolled back isn't known yet: run crdb status first; where 1 is no longer applied, " +
  "its rollback is done and counts, else run rollback; this migration counts as its first.";

Deno.test("statementFailure() and landingFailure() have nobody undo a second migration", () => {
  const error = new DatabaseError({ code: "08006", message: "lost" });
  const [file] = parseMigrations([
    { name: "1_a.sql", text: "SELECT 1;\n-- @UNDO\nSELECT 2;" },
  ]);
  const options = { done: 0, outcome: "unconfirmed" } as const;
  const undo = planned(file, "down");
  assertEquals(
    statementFailure(error, undo, undo.statements[0], options).message,
    `Cannot roll back 1_a.sql:3:1: lost (SQLSTATE 08006)\n  SELECT 2;\n  ^\n${UNKNOWN_UNDO}`,
  );
  assertEquals(
    landingFailure(error, undo).message,
    `Cannot roll back 1_a.sql: lost (SQLSTATE 08006)\n${UNKNOWN_UNDO}`,
  );
  assertEquals(
    said("SELECT 1;", error, options).split("\n").at(-1),
    "Whether it is applied isn't known yet: run migrate again, it finds out by itself and goes on.",
  );
});

Deno.test("statementFailure() has nobody run a rollback of several again as it was", () => {
  const [file] = parseMigrations([
    { name: "1_a.sql", text: "SELECT 1;\n-- @UNDO\nSELECT 2;\nSELECT 3;" },
  ]);
  const undo = planned(file, "down");
  const last = (code: string, options: FailureOptions) => {
    const error = new DatabaseError({ code, message: "no" });
    return statementFailure(error, undo, undo.statements[1], options)
      .message.split("\n").at(-1);
  };
  assertEquals(
    last("42703", { done: 1, outcome: "nothing" }),
    "Statement 1 is done and noted, the rest is not; the migration stays applied. " +
      "Mend the file from statement 2 on, and run rollback; this migration counts as its first.",
  );
  assertEquals(
    last("40001", { done: 0, upTo: "7", outcome: "nothing" }),
    "Statement 1 up to key 7 is done and noted, the rest is not; the migration stays applied. " +
      "Run rollback: it goes on behind that key; this migration counts as its first.",
  );
  assertEquals(
    last("08006", { done: 1, outcome: "unknown" }),
    "Statement 1 is done and noted. Whether statement 2 of 2 took effect isn't known yet: run rollback, it finds out by itself and goes on; " +
      "this migration counts as its first.",
  );
});

Deno.test("statementFailure() gives the server's context", () => {
  const error = new DatabaseError({
    code: "22012",
    message: "division by zero",
    where: "PL/pgSQL function inline_code_block line 3 at PERFORM",
  });
  assertEquals(
    said("DO 'x';", error, { done: 0, outcome: "nothing" }).split("\n")[3],
    "Context: PL/pgSQL function inline_code_block line 3 at PERFORM",
  );
});

Deno.test("statementFailure() names the parts of a statement that are done", () => {
  const error = new DatabaseError({ code: "23505", message: "duplicate" });
  const last = (done: number, text: string) =>
    said(text, error, {
      done,
      outcome: "nothing",
      parts: "column a renamed to x",
    }).split("\n").at(-1);
  assertEquals(
    last(0, "ALTER TABLE t RENAME a TO x, ADD UNIQUE (b);"),
    "Of statement 1 a part is done (column a renamed to x), the rest is not; the migration is not applied. " +
      "Undo that part, or take it out of the file, then mend the rest, and run migrate again.",
  );
  assertEquals(
    last(1, "SELECT 1;\nALTER TABLE t RENAME a TO x, ADD UNIQUE (b);"),
    "Statement 1 is done and noted. " +
      "Of statement 2 a part is done (column a renamed to x), the rest is not; the migration is not applied. " +
      "Undo that part, or take it out of the file, then mend the rest, and run migrate again.",
  );
});
