import { assertEquals, assertRejects } from "@std/assert";
import { settledWithin } from "../src/delay.ts";

Deno.test("settledWithin() waits for a promise, and for one that takes too long only so long", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await settledWithin(1, promise);
  resolve();
  await settledWithin(60_000, promise);
  const broken = Promise.reject(new Error("broken"));
  const error = await assertRejects(() => settledWithin(60_000, broken), Error);
  assertEquals(error.message, "broken");
});
