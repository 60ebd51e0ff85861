import { assertEquals } from "@std/assert";
import {
  endingCommand,
  mayHaveEnded,
} from "../../src/database/transaction_end.ts";

Deno.test("endingCommand() finds what ends a transaction, in any form and place", () => {
  const cases: [string, string][] = [
    ["COMMIT", "COMMIT"],
    [" /* now */ end transaction", "COMMIT"],
    ["COMMIT AND CHAIN", "COMMIT"],
    ["ROLLBACK", "ROLLBACK"],
    ["abort work", "ROLLBACK"],
    ["ROLLBACK /* to */ AND CHAIN", "ROLLBACK"],
    ["SELECT 1; COMMIT; BEGIN; SELECT 2", "COMMIT"],
    ["ROLLBACK TO SAVEPOINT a; ROLLBACK", "ROLLBACK"],
    ["PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION"],
  ];
  for (const [text, command] of cases) {
    assertEquals(endingCommand(text), command, text);
  }
});

Deno.test("endingCommand() takes nothing else for an end", () => {
  const cases = [
    "SELECT 1; SELECT 2",
    "ROLLBACK TO a",
    "rollback work to savepoint a",
    "ABORT TRANSACTION -- back\n TO SAVEPOINT a",
    "RELEASE SAVEPOINT a; SELECT CASE WHEN true THEN 1 END",
    "SELECT 'x; COMMIT'; SELECT 1",
    'SELECT 1 AS "commit"; -- ROLLBACK',
    "DO $$ BEGIN PERFORM 1; END $$",
    "CREATE FUNCTION f() RETURNS INT BEGIN ATOMIC SELECT 1; END; SELECT 1",
    "PREPARE p AS SELECT 1; EXECUTE p",
    "SELECT 'not closed; COMMIT",
  ];
  for (const text of cases) assertEquals(endingCommand(text), undefined, text);
});

Deno.test("mayHaveEnded() wants no look at a statement that stands alone, where nothing was ended", () => {
  const open = { command: "SELECT", isOver: false };
  assertEquals(mayHaveEnded("SELECT CASE WHEN true THEN 1 END", open), false);
  assertEquals(mayHaveEnded("SELECT 1; SELECT 2", open), true);
  assertEquals(mayHaveEnded("x", { ...open, isOver: true }), true);
  for (const command of ["COMMIT", "ROLLBACK"]) {
    assertEquals(mayHaveEnded("x", { command, isOver: false }), true);
  }
});
