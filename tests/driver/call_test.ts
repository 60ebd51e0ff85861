import {
  assertEquals,
  assertObjectMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  busyError,
  type Call,
  cancelledError,
  checkCall,
  repeated,
  timeoutError,
} from "../../src/driver/call.ts";
import { connectFailure } from "../../src/driver/connect_failure.ts";
import type { WireFields } from "../../src/driver/driver.ts";
import { withUnknownOutcome } from "../../src/driver/loss.ts";
import { DatabaseError } from "../../src/errors.ts";
import { DEFAULTS } from "../support/config.ts";

const CALL: Call = { text: "SELECT $1", args: ["7"], timeoutMs: 30 };

function refusal(call: Call): [string, string, string | undefined] {
  const error = assertThrows(() => checkCall(call), DatabaseError);
  return [error.code, error.message, error.statement];
}

Deno.test("checkCall() lets through what can be sent", () => {
  checkCall(CALL);
  checkCall({ text: "SELECT 1", args: new Array(65_535).fill(null) });
  assertThrows(() =>
    checkCall({ text: "SELECT 1", args: new Array(65_536).fill(null) })
  );
});

Deno.test("checkCall() refuses too many arguments, and NUL characters", () => {
  const args = new Array(70_000).fill("secret");
  assertEquals(refusal({ ...CALL, args }), [
    "54023",
    "Cannot run the statement: 70000 arguments are more than the 65535 that the protocol allows; send fewer at a time",
    "SELECT $1",
  ]);
  const reason =
    "Cannot run the statement: its text or an argument holds a NUL character; take it out";
  assertEquals(refusal({ ...CALL, args: [null, "a\0b"] }).slice(0, 2), [
    "22021",
    reason,
  ]);
  assertEquals(refusal({ ...CALL, text: "SELECT 'a\0b'" })[1], reason);
});

Deno.test("checkCall() refuses half a surrogate pair, and lets whole ones through", () => {
  checkCall({ text: "SELECT '😀' = $1", args: [null, "😀"] });
  for (
    const half of [
      { ...CALL, text: "SELECT '\ud800'" },
      { ...CALL, args: [null, "a\udc00"] },
    ]
  ) {
    assertEquals(refusal(half).slice(0, 2), [
      "22021",
      "Cannot run the statement: its text or an argument holds half a surrogate pair, which has no UTF-8 form; mend it with toWellFormed()",
    ]);
  }
});

Deno.test("The errors of a call name its statement, and what to do", () => {
  const cause = new DatabaseError({ code: "57014", message: "canceled" });
  const late = timeoutError(CALL, cause);
  assertEquals([late.kind, late.statement, late.cause], [
    "timeout",
    "SELECT $1",
    cause,
  ]);
  assertEquals(
    late.message,
    "Cannot finish the statement within 30 ms: it was cancelled; raise timeoutMs, or shorten the statement",
  );
  assertEquals(
    busyError(CALL).message,
    "Cannot run the statement: the session is busy; wait for its statement, or use another session",
  );
  assertEquals(cancelledError(CALL).code, "57014");
});

Deno.test("repeated() tells of a loss as before, under another statement", () => {
  const lost = new DatabaseError({
    severity: "FATAL",
    code: "57P01",
    message: "terminating connection",
  }, { statement: "SELECT 1" });
  const again = repeated(lost, { statement: "SELECT 2" });
  assertEquals(
    [again.severity, again.code, again.message, again.statement, again.cause],
    ["FATAL", "57P01", "terminating connection", "SELECT 2", lost],
  );
});

Deno.test("errors that are made of a server's keep its fields", () => {
  const fields: Required<WireFields> = {
    severity: "FATAL",
    code: "57P01",
    message: "terminating connection",
    detail: "a",
    hint: "b",
    position: 1,
    schema: "c",
    table: "d",
    column: "e",
    dataType: "f",
    constraint: "g",
    where: "h",
    internalQuery: "i",
    internalPosition: 2,
    file: "postgres.c",
    line: 3,
    routine: "ProcessInterrupts",
  };
  const error = new DatabaseError(fields);
  const made = [
    error,
    repeated(error, {}),
    withUnknownOutcome(error),
    connectFailure(error, DEFAULTS),
  ];
  for (const one of made) {
    const { message, ...others } = fields;
    assertStringIncludes((one as DatabaseError).message, message);
    assertObjectMatch({ ...one as DatabaseError }, others);
  }
});
