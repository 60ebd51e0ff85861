import { assertEquals, assertThrows } from "@std/assert";
import { Interrupt } from "../../src/cli/interrupt.ts";
import { styleFor } from "../../src/cli/style.ts";

function setUp(afterNotice = () => {}) {
  const notices: string[] = [];
  const listeners = new Set<(signal: "SIGINT" | "SIGTERM") => void>();
  const stream = { isTerminal: false, write: () => {} };
  const interrupt = new Interrupt({
    stdout: stream,
    stderr: stream,
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  }, {
    style: styleFor(false),
    onEvent: () => {},
    notice(text) {
      notices.push(text);
      afterNotice();
    },
  });
  const send = (signal: "SIGINT" | "SIGTERM") =>
    listeners.forEach((listener) => listener(signal));
  return { interrupt, notices, listeners, send };
}

Deno.test("Interrupt stops at the first Ctrl-C and cancels at the second", () => {
  const { interrupt, notices, listeners, send } = setUp();
  const { signal, cancelSignal } = interrupt;
  send("SIGINT");
  assertEquals([signal.aborted, cancelSignal.aborted], [true, false]);
  send("SIGINT");
  assertEquals([signal.aborted, cancelSignal.aborted], [true, true]);
  assertEquals(notices, [
    "Interrupted: the run stops after the statement in flight; press Ctrl-C again to cancel that too",
    "Interrupted again: the statement is cancelled",
  ]);
  assertEquals(listeners.size, 0, "a third one ends the process");
});

Deno.test("Interrupt stops and cancels though nothing can be said of it", () => {
  const { interrupt, listeners, send } = setUp(() => {
    throw new Error("No space left on device");
  });
  const { signal, cancelSignal } = interrupt;
  assertThrows(() => send("SIGINT"), Error, "No space left");
  assertEquals([signal.aborted, cancelSignal.aborted], [true, false]);
  assertThrows(() => send("SIGINT"), Error, "No space left");
  assertEquals([signal.aborted, cancelSignal.aborted], [true, true]);
  assertEquals(listeners.size, 0);
});

Deno.test("Interrupt never cancels at SIGTERM", () => {
  const { interrupt, notices, send } = setUp();
  send("SIGTERM");
  send("SIGTERM");
  assertEquals(interrupt.signal.aborted, true);
  assertEquals(interrupt.cancelSignal.aborted, false);
  assertEquals(notices.length, 1);
});

Deno.test("Interrupt ends its listening", () => {
  const { interrupt, listeners } = setUp();
  assertEquals(listeners.size, 1);
  interrupt[Symbol.dispose]();
  interrupt[Symbol.dispose]();
  assertEquals(listeners.size, 0);
});
