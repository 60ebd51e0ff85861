import { assertEquals, assertThrows } from "@std/assert";
import { Limit } from "../../src/driver/limit.ts";
import { ConfigError } from "../../src/errors.ts";

Deno.test("Limit tells which limit was reached, once", async () => {
  const controller = new AbortController();
  let count = 0;
  using limit = new Limit(
    { signal: controller.signal, timeoutMs: 60_000 },
    () => count++,
  );
  assertEquals([limit.reached, count], [undefined, 0]);
  controller.abort();
  assertEquals([limit.reached, count], ["signal", 1]);

  const reached = Promise.withResolvers<void>();
  using time = new Limit({ timeoutMs: 1 }, () => reached.resolve());
  await reached.promise;
  assertEquals(time.reached, "time");
});

Deno.test("Limit counts its time from when that began", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const since = performance.now() - 60_000;
  using limit = new Limit({ timeoutMs: 60_001, since }, () => resolve());
  await promise;
  assertEquals(limit.reached, "time");
});

Deno.test("Limit is reached at once where the signal has fired before", () => {
  let count = 0;
  using limit = new Limit({ signal: AbortSignal.abort() }, () => count++);
  assertEquals([limit.reached, count], ["signal", 1]);
});

Deno.test("Limit lets go when it is disposed of, and waits for no time beyond a timer's range", () => {
  const controller = new AbortController();
  let count = 0;
  const limit = new Limit({
    signal: controller.signal,
    timeoutMs: Number.MAX_SAFE_INTEGER,
  }, () => count++);
  limit[Symbol.dispose]();
  controller.abort();
  assertEquals([limit.reached, count], [undefined, 0]);
});

Deno.test("Limit refuses a signal that is none, and starts nothing then", async () => {
  let count = 0;
  for (const signal of [null, {}, new EventTarget(), "5s"] as never[]) {
    assertThrows(
      () => new Limit({ signal, timeoutMs: 1 }, () => count++),
      ConfigError,
      "Cannot use the option signal: it is no AbortSignal; give an AbortController's, or leave it out",
    );
  }
  const { signal } = new AbortController();
  const listens = signal.addEventListener = () => count++;
  const timeoutMs = Symbol("a time") as never;
  assertThrows(() => new Limit({ signal, timeoutMs }, listens), TypeError);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(count, 0);
});
