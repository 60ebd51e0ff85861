import { assertEquals } from "@std/assert";
import { DatabaseError } from "../../src/errors.ts";
import {
  type FailureOptions,
  statementFailure,
} from "../../src/migration/failure.ts";
import { parseMigrations } from "../../src/migration/file.ts";
import { planMigrate } from "../../src/migration/plan.ts";

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
