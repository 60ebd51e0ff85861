/**
 * The callers who wait for a session of the pool: their turn, and what ends their waiting.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { WaitingLine } from "../../src/database/waiting_line.ts";
import { delay } from "../../src/delay.ts";
import { DatabaseError } from "../../src/errors.ts";
import { poolTest, settled } from "../support/pools.ts";

poolTest("SessionPool serves callers in turn", async ({ pool }) => {
  const order: number[] = [];
  const callers = [0, 1, 2, 3, 4].map((index) =>
    pool.use(async () => {
      await settled();
      order.push(index);
    })
  );
  await Promise.all(callers);
  assertEquals(order, [0, 1, 2, 3, 4]);
}, { max: 1 });

poolTest(
  "SessionPool says who holds the sessions when none comes free in time",
  async ({ pool }) => {
    const statement = `SELECT pg_sleep(10),\n  '${"x".repeat(1_000_000)}'`;
    const loans = [
      await pool.acquire({ purpose: statement }),
      await pool.acquire(),
    ];
    const first = pool.acquire({ purpose: "SELECT 1" });
    const second = pool.acquire({ purpose: "SELECT 2" });
    second.catch(() => {});
    const error = await assertRejects(() => first, DatabaseError);
    assertEquals([error.code, error.kind], ["55P03", "timeout"]);
    assertMatch(
      error.message,
      /^Cannot get a connection for SELECT 1 within 30 ms: 2 of 2 are in use, for SELECT pg_sleep\(10\), 'x{37}… \(\d+ ms\), other work \(\d+ ms\), 0 are being opened, and 1 more caller waits; end what holds them, or raise pool\.max or pool\.acquireTimeoutMs$/,
    );
    await assertRejects(() => second, DatabaseError, "0 more callers wait");
    for (const loan of loans) await loan.release();
    await pool.use((session) => session.query("x"));
  },
  { max: 2, acquireTimeoutMs: 30 },
);

poolTest(
  "SessionPool serves no one who came with a signal that is none",
  async ({ pool }) => {
    const loan = await pool.acquire();
    const signal = { throwIfAborted() {} } as never;
    const error = await assertRejects(() => pool.acquire({ signal }));
    assertEquals((error as Error).name, "ConfigError");
    const next = pool.acquire();
    await loan.release();
    await (await next).release();
  },
  { max: 1 },
);

poolTest(
  "SessionPool lets a signal end the waiting, and only that caller's",
  async ({ pool }) => {
    const loan = await pool.acquire();
    const controller = new AbortController();
    const reason = new Error("enough");
    const { signal } = controller;
    const given = pool.acquire({ signal });
    const patient = pool.acquire();
    controller.abort(reason);
    assertStrictEquals(await given.catch((error) => error), reason);
    await assertRejects(() => pool.acquire({ signal }), Error, "enough");
    await loan.release();
    await (await patient).release();
  },
  { max: 1 },
);

poolTest(
  "SessionPool lets a time limit end the waiting, and only that caller's",
  async ({ pool }) => {
    const loan = await pool.acquire();
    const patient = pool.acquire();
    const error = await assertRejects(
      () => pool.acquire({ timeoutMs: 20, purpose: "SELECT 1" }),
      DatabaseError,
      "Cannot get a connection for SELECT 1 within 20 ms: 1 of 1 are in use",
    );
    assertEquals([error.code, error.kind], ["55P03", "timeout"]);
    await loan.release();
    await (await patient).release();
  },
  { max: 1 },
);

poolTest(
  "SessionPool loses no session where waiting ends as one comes free",
  async ({ driver, pool }) => {
    for (let i = 0; i < 20; i++) {
      const loan = await pool.acquire();
      const controller = new AbortController();
      const waiting = pool.acquire({ signal: controller.signal });
      const released = loan.release();
      controller.abort(new Error("enough"));
      await released;
      await waiting.then((loan) => loan.release(), () => {});
    }
    await pool.use((session) => session.query("x"));
    assertEquals(driver.attempts, 1);
  },
  { max: 1, acquireTimeoutMs: 100 },
);

poolTest(
  "SessionPool keeps to a caller's time limit while it opens a session",
  async ({ driver, pool }) => {
    const gate = Promise.withResolvers<void>();
    driver.gate = gate.promise;
    const error = await assertRejects(
      () => pool.acquire({ timeoutMs: 20, purpose: "SELECT 1" }),
      DatabaseError,
      "Cannot get a connection for SELECT 1 within 20 ms: 0 of 10 are in use, 1 are being opened, and 0 more callers wait",
    );
    assertEquals(error.kind, "timeout");
    gate.resolve();
    await pool.use(settled);
    assertEquals(driver.attempts, 1);
  },
);

/** Makes a line whose callers wait for so long. */
function lineOf(timeoutMs: number): WaitingLine<string> {
  const lateError = () => new Error("late");
  return new WaitingLine({ timeoutMs, lateError, onRefused() {} });
}

Deno.test("WaitingLine counts a caller's time from its own coming, though the line was empty before", async () => {
  const line = lineOf(80);
  const first = line.join("a");
  line.serveFirst(() => "served");
  assertEquals(await first, "served");
  await delay(50);
  const since = performance.now();
  await assertRejects(() => line.join("b"), Error, "late");
  // A timer may be a millisecond early.
  assert(performance.now() - since >= 79);
  assertEquals(line.size, 0);
});

Deno.test({
  name: "WaitingLine lets go of the time when it is closed",
  sanitizeOps: true,
  async fn() {
    const line = lineOf(60_000);
    const caller = line.join("a");
    line.serveFirst(() => "served");
    line.close();
    assertEquals(await caller, "served");
  },
});

const LINES = JSON.stringify(
  import.meta.resolve("../../src/database/waiting_line.ts"),
);

/** Runs a line in a process of its own. */
async function inProcess(timeoutMs: number, source: string): Promise<string> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import { WaitingLine } from ${LINES};
       const lateError = () => new Error("late");
       const line = new WaitingLine({ timeoutMs: ${timeoutMs}, lateError, onRefused() {} });
       ${source}`,
    ],
  }).output();
  assertEquals(code, 0);
  return new TextDecoder().decode(stdout);
}

Deno.test("WaitingLine keeps the process alive for its callers, and only for them", async () => {
  const served = `const caller = line.join("a");
    line.serveFirst(() => "served");
    console.log(await caller);`;
  const refused =
    `await line.join("b").catch((error) => console.log(error.message));`;
  assertEquals(await inProcess(2 ** 31 - 1, served), "served\n");
  assertEquals(await inProcess(300, served + refused), "served\nlate\n");
});
