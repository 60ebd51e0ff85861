import { assertEquals, assertThrows } from "@std/assert";
import { Answer } from "../../src/driver/answer.ts";
import { Ledger } from "../../src/driver/ledger.ts";
import {
  backendKeyData,
  commandComplete,
  errorResponse,
  frame,
  noticeResponse,
  parameterStatus,
  readyForQuery,
  rowDescription,
} from "../support/wire.ts";

/** Notes whole frames. */
function note(
  ledger: Ledger,
  answer: Answer | undefined,
  ...frames: Uint8Array[]
) {
  for (const bytes of frames) ledger.note(bytes[0], bytes.subarray(5), answer);
}

Deno.test("Ledger keeps what the server reports of itself, with a call under way or without", () => {
  const ledger = new Ledger();
  const zone = parameterStatus("TimeZone", "UTC");
  note(ledger, new Answer(), zone, backendKeyData(7, 8));
  note(ledger, undefined, parameterStatus("TimeZone", "Asia/Tokyo"));
  // Its memory is read into again.
  zone.fill(0);
  assertEquals(ledger.parameters, { TimeZone: "Asia/Tokyo" });
  assertEquals(ledger.backendKey, Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 8));
});

Deno.test("Ledger enters what belongs to an answer", () => {
  const ledger = new Ledger();
  const answer = new Answer();
  note(
    ledger,
    answer,
    ...[frame("2"), rowDescription(["a"]), commandComplete("UPDATE 3")],
    ...[noticeResponse({ code: "00000", message: "psst" }), readyForQuery("T")],
  );
  const { columns, command, rowCount, notices } = answer.toResult();
  assertEquals(columns.map(({ name }) => name), ["a"]);
  assertEquals([command, rowCount], ["UPDATE", 3]);
  assertEquals(notices.map(({ message }) => message), ["psst"]);
  assertEquals([answer.bound, answer.ready], [true, true]);
  assertEquals(ledger.transactionStatus, "open");
});

Deno.test("Ledger notes nothing of what asks for something to be done", () => {
  const answer = new Answer();
  note(new Ledger(), answer, errorResponse({ code: "40001", message: "x" }));
  assertEquals(answer, new Answer());
});

Deno.test("Ledger refuses a state that is none", () => {
  const ledger = new Ledger();
  assertThrows(
    () => ledger.note(readyForQuery()[0], Uint8Array.of(0x51)),
    RangeError,
    "The state is unknown",
  );
  assertEquals(ledger.transactionStatus, "idle");
});
