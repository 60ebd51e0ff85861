import { assertEquals, assertThrows } from "@std/assert";
import { FrameGuard } from "../../src/driver/frame_guard.ts";
import {
  concat,
  dataRow,
  errorResponse,
  frame,
  greeting,
  noticeResponse,
  readyForQuery,
} from "../support/wire.ts";

const ANSWER = concat([
  greeting(),
  frame("N", new Uint8Array(1)),
  noticeResponse({ code: "00000", message: "psst" }),
  errorResponse({ code: "42601", message: "what?" }),
  dataRow(["x".repeat(100_000)]),
  frame("s"),
  readyForQuery(),
]);

Deno.test("FrameGuard accepts frames, however they are cut", () => {
  for (const length of [1, 3, 7, 1_000, ANSWER.length]) {
    const guard = new FrameGuard();
    for (let at = 0; at < ANSWER.length; at += length) {
      guard.check(ANSWER.subarray(at, at + length));
    }
    assertEquals(guard.loggedIn, true);
  }
});

Deno.test("FrameGuard finds the first frame that can't be PostgreSQL's", () => {
  const http = new TextEncoder().encode("HTTP/1.1 400 Bad Request");
  const [row] = dataRow(["x"]);
  for (
    const nonsense of [
      http,
      Uint8Array.of(row, 0x7f, 0xff, 0xff, 0xff),
      Uint8Array.of(row, 0xff, 0xff, 0xff, 0xff),
      Uint8Array.of(row, 0, 0, 0, 3),
    ]
  ) {
    const guard = new FrameGuard();
    guard.check(ANSWER);
    guard.check(nonsense.subarray(0, 4));
    assertThrows(() => guard.check(nonsense.subarray(4)), RangeError);
  }
});

Deno.test("FrameGuard finds fields that don't end, before anything reads them", () => {
  const fields = new TextEncoder().encode("SERROR\0C42601\0M\0\0");
  for (let missing = 1; missing <= fields.length; missing++) {
    const cut = fields.subarray(0, fields.length - missing);
    for (const bytes of [frame("E", cut), frame("N", cut)]) {
      for (const length of [1, 2, 5, bytes.length]) {
        const guard = new FrameGuard();
        const last = (bytes.length - 1) - (bytes.length - 1) % length;
        for (let at = 0; at < last; at += length) {
          guard.check(bytes.subarray(at, at + length));
        }
        assertThrows(() => guard.check(bytes.subarray(last)), RangeError);
      }
    }
  }
});

Deno.test("FrameGuard accepts no rows before the log-in", () => {
  assertThrows(() => new FrameGuard().check(dataRow(["x"])), RangeError);
});

Deno.test("FrameGuard takes no session of a server that is ready before it let it in", () => {
  const [ready] = readyForQuery();
  const guard = new FrameGuard();
  assertThrows(
    () => guard.check(Uint8Array.of(ready, 0, 0, 0, 5)),
    RangeError,
    "The frame is none of PostgreSQL's",
  );
  assertEquals(guard.loggedIn, false);
});
