import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { mapConcurrently } from "../../src/database/concurrently.ts";

const tick = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("mapConcurrently() keeps the order and the limit", async () => {
  let running = 0;
  let most = 0;
  const results = await mapConcurrently([5, 1, 4, 2, 3, 0], async (item) => {
    most = Math.max(most, ++running);
    for (let i = 0; i < item; i++) await tick();
    running--;
    return item * 2;
  }, { limit: 3 });
  assertEquals(results, [10, 2, 8, 4, 6, 0]);
  assertEquals(most, 3);
});

Deno.test("mapConcurrently() stops at a failure, waits for the others and throws the first one", async () => {
  const called: number[] = [];
  const ended: number[] = [];
  const first = new Error("first");
  const thrown = await mapConcurrently([0, 1, 2, 3, 4], async (item) => {
    called.push(item);
    if (item === 1) throw first;
    await tick();
    ended.push(item);
    if (item === 0) throw new Error("second");
  }, { limit: 2 }).catch((error) => error);
  assertStrictEquals(thrown, first);
  assertEquals([called, ended], [[0, 1], [0]]);
});

Deno.test("mapConcurrently() of nothing calls nothing", async () => {
  const never = () => Promise.reject(new Error("called"));
  assert((await mapConcurrently([], never, { limit: 4 })).length === 0);
});
