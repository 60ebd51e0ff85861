import { assertEquals } from "@std/assert";
import { Limit } from "../../src/driver/limit.ts";

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
