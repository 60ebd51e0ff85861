import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { delay } from "../../src/delay.ts";
import type { CallOptions, StatementOptions } from "../../src/driver/driver.ts";
import { DatabaseError } from "../../src/errors.ts";
import { Turns } from "../../src/database/turns.ts";
import { FakeSession } from "../support/fake_driver.ts";

const ENDED =
  "Cannot use the transaction: it has ended; await every call inside its callback";
const STREAMED =
  "Cannot run a statement while a stream of the same transaction is read; end its loop first";

function fixture(): { turns: Turns; session: FakeSession; log: string[] } {
  const session = new FakeSession();
  const log = session.statements;
  const release = () => Promise.resolve(void log.push("release"));
  return { turns: new Turns({ session, release }), session, log };
}

async function* letters(): AsyncGenerator<string> {
  yield "a";
  yield "b";
  yield "c";
}

Deno.test("Turns runs calls one after another", async () => {
  const { turns } = fixture();
  const order: string[] = [];
  const call = (name: string, ms: number) =>
    turns.use(async () => {
      order.push(`${name} starts`);
      await new Promise((resolve) => setTimeout(resolve, ms));
      order.push(`${name} ends`);
    });
  await Promise.all([call("a", 10), call("b", 0)]);
  assertEquals(order, ["a starts", "a ends", "b starts", "b ends"]);
});

Deno.test("Turns goes on after a call that failed", async () => {
  const { turns } = fixture();
  const failing = turns.use(() => Promise.reject(new Error("mine")));
  const next = turns.use((session) => session.query("x"));
  await assertRejects(() => failing, Error, "mine");
  assertEquals((await next).command, "x");
});

Deno.test("Turns keeps the first failure, but one that asks for another attempt before others", async () => {
  const { turns } = fixture();
  const fail = (error: Error) =>
    turns.use(() => Promise.reject(error)).catch(() => {});
  const first = new Error("first");
  const restart = new DatabaseError({ code: "40001", message: "restart" });
  await fail(first);
  await fail(new Error("second"));
  assertStrictEquals(turns.failure, first);
  await fail(restart);
  await fail(new DatabaseError({ code: "40001", message: "again" }));
  assertStrictEquals(turns.failure, restart);
});

Deno.test("Turns.finish() waits for calls that were made, and refuses more", async () => {
  const { turns, log } = fixture();
  turns.use((session) => session.query("a"));
  turns.use((session) => session.query("b"));
  const finished = turns.finish();
  await assertRejects(() => turns.use(() => Promise.resolve()), Error, ENDED);
  await finished;
  assertEquals(log, ["a", "b"]);
});

Deno.test("Turns.end() gives the session back once, and refuses the calls that wait", async () => {
  const { turns, session, log } = fixture();
  const { promise, resolve } = Promise.withResolvers<void>();
  session.gate = promise;
  const running = turns.use((session) => session.query("a"));
  const waiting = turns.use((session) => session.query("b"));
  const refused = assertRejects(() => waiting, Error, ENDED);
  await Promise.resolve();
  const ended = turns.end();
  resolve();
  await Promise.all([running, refused, ended]);
  assertEquals(log, ["a", "release"]);
});

Deno.test("Turns refuses a call while a stream is read, and takes it afterwards", async () => {
  const { turns } = fixture();
  for await (const letter of turns.useStream(letters)) {
    if (letter === "b") break;
    await assertRejects(
      () => turns.use(() => Promise.resolve()),
      Error,
      STREAMED,
    );
  }
  assertEquals(await turns.use(() => Promise.resolve(1)), 1);
});

Deno.test("Turns refuses a call that is made in the same tick as a stream, and takes it afterwards", async () => {
  const { turns } = fixture();
  const { promise, resolve } = Promise.withResolvers<void>();
  const before = turns.use(() => promise);
  const stream = turns.useStream(letters);
  const first = stream.next();
  const refused = [
    turns.use(() => Promise.resolve()),
    turns.useStream(letters).next(),
  ];
  for (const call of refused) await assertRejects(() => call, Error, STREAMED);
  resolve();
  await before;
  assertEquals((await first).value, "a");
  await stream.return();
  assertEquals(await turns.use(() => Promise.resolve(1)), 1);
});

Deno.test("Turns rejects a call that waits when one of its limits is reached, and only that", async () => {
  const { turns, session, log } = fixture();
  const { promise, resolve } = Promise.withResolvers<void>();
  session.gate = promise;
  const query = (text: string, limits: CallOptions = {}) =>
    turns.use((session) => session.query(text), { ...limits, text });
  const calls = [query("a"), query("b")];
  const reason = new Error("enough");
  const controller = new AbortController();
  const aborted = assertRejects(() =>
    query("c", { signal: controller.signal, timeoutMs: 60_000 })
  );
  calls.push(query("d", { timeoutMs: 60_000 }));
  const late = assertRejects(
    () => query("e", { timeoutMs: 10 }),
    DatabaseError,
    "Cannot run the statement within 10 ms: the calls before it in its transaction took longer; await them first, or raise timeoutMs",
  );
  const { kind, statement } = await late;
  assertEquals([kind, statement], ["timeout", "e"]);
  const stream = turns.useStream(letters, { timeoutMs: 10 });
  await assertRejects(() => stream.next(), DatabaseError, "within 10 ms");
  calls.push(query("f"));
  controller.abort(reason);
  assertStrictEquals(await aborted, reason);
  assertEquals(log, ["a"]);
  resolve();
  await Promise.all(calls);
  assertEquals(log, ["a", "b", "d", "f"]);
  assertEquals(turns.failure, undefined);
});

Deno.test("Turns counts the time of a call that waits from the call on", async () => {
  const { turns } = fixture();
  const given: StatementOptions[] = [];
  const call = (ms: number) =>
    turns.use(async (_, limits) => {
      given.push(limits);
      await delay(ms);
    }, { timeoutMs: 5_000, text: "SELECT 1" });
  const before = performance.now();
  const calls = [call(20), call(0)];
  const after = performance.now();
  await Promise.all(calls);
  assertEquals(given[0], { signal: undefined, timeoutMs: 5_000 });
  const { timeoutMs, since = 0 } = given[1];
  assertEquals(timeoutMs, 5_000);
  assert(before <= since && since <= after);
});

Deno.test("Turns doesn't begin a stream that is still waiting at the end", async () => {
  const { turns } = fixture();
  const { promise, resolve } = Promise.withResolvers<void>();
  turns.use(() => promise);
  let begun = false;
  const stream = turns.useStream(() => {
    begun = true;
    return letters();
  });
  const refused = assertRejects(() => stream.next(), Error, ENDED);
  const finished = turns.finish();
  resolve();
  await Promise.all([refused, finished]);
  assertEquals(begun, false);
});

Deno.test("Turns doesn't wait for a stream that no one reads any more", async () => {
  for (const verb of ["finish", "end"] as const) {
    const { turns } = fixture();
    let closed = false;
    const stream = turns.useStream(async function* () {
      try {
        yield* letters();
      } finally {
        closed = true;
      }
    });
    await stream.next();
    await turns[verb]();
    assertEquals(closed, true);
    await assertRejects(() => stream.next(), Error, ENDED);
  }
});
