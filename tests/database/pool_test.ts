import {
  assert,
  assertEquals,
  assertMatch,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { resolveConfig } from "../../src/driver/config.ts";
import { ConfigError, DatabaseError } from "../../src/errors.ts";
import { SessionPool } from "../../src/database/pool.ts";
import type { PoolOptions } from "../../src/database/pool_limits.ts";
import { FakeDriver } from "../support/fake_driver.ts";

interface Fixture {
  driver: FakeDriver;
  pool: SessionPool;
}

function poolTest(
  name: string,
  fn: (fixture: Fixture) => Promise<void>,
  options: PoolOptions = {},
): void {
  Deno.test(name, async () => {
    const driver = new FakeDriver();
    const pool = new SessionPool(driver, resolveConfig(), options);
    try {
      await fn({ driver, pool });
    } finally {
      await pool.close({ timeoutMs: 1 });
    }
  });
}

/** Resolves once all that can happen without time passing has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

const refused = () =>
  new DatabaseError({ code: "08001", message: "Cannot connect: refused" });

poolTest(
  "SessionPool opens nothing before the first use, then reuses it",
  async ({ driver, pool }) => {
    assertEquals(driver.attempts, 0);
    for (let i = 0; i < 3; i++) await pool.use((session) => session.query("x"));
    assertEquals(driver.sessions.length, 1);
    assertEquals(driver.sessions[0].statements, ["x", "x", "x"]);
  },
);

poolTest("SessionPool opens no more than max", async ({ driver, pool }) => {
  let most = 0;
  let now = 0;
  await Promise.all(times(50, () =>
    pool.use(async () => {
      most = Math.max(most, ++now);
      await settled();
      now--;
    })));
  assertEquals([driver.attempts, most], [3, 3]);
}, { max: 3 });

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
  "SessionPool replaces what comes back broken",
  async ({ driver, pool }) => {
    const loan = await pool.acquire();
    driver.sessions[0].broken = true;
    const waiting = pool.acquire();
    await loan.release();
    const next = await waiting;
    assertStrictEquals(next.session, driver.sessions[1]);
    await next.release();
    await until(() => driver.sessions[0].closed);
  },
  { max: 1 },
);

poolTest(
  "SessionPool never hands out what broke while it was idle",
  async ({ driver, pool }) => {
    await Promise.all(times(5, () => pool.use(settled)));
    for (const session of driver.sessions) session.broken = true;
    await Promise.all(times(5, () =>
      pool.use((session) => {
        assert(!session.broken);
        return settled();
      })));
    assertEquals(driver.sessions.length, 10);
  },
);

poolTest(
  "SessionPool ends a transaction that is given back open",
  async ({ driver, pool }) => {
    await pool.use((session) => session.query("BEGIN"));
    await pool.use((session) => session.query("x"));
    assertEquals(driver.sessions[0].statements, ["BEGIN", "ROLLBACK", "x"]);
  },
);

poolTest(
  "SessionPool closes a session that can't be rolled back",
  async ({ driver, pool }) => {
    const loan = await pool.acquire();
    const [session] = driver.sessions;
    await session.query("BEGIN");
    session.gate = Promise.reject(new Error("busy"));
    await loan.release();
    assert(session.closed);
    await pool.use((next) => {
      assertNotStrictEquals(next, session);
      return settled();
    });
  },
);

poolTest(
  "SessionPool takes a loan back only once",
  async ({ driver, pool }) => {
    const loan = await pool.acquire();
    await Promise.all([loan.release(), loan.release()]);
    await loan.release();
    const loans = await Promise.all([pool.acquire(), pool.acquire()]);
    assertNotStrictEquals(loans[0].session, loans[1].session);
    assertEquals(driver.sessions.length, 2);
    // The first loan's holder can't give away what others hold now.
    await loan.release();
    const third = pool.acquire();
    await assertRejects(() => third, DatabaseError, "2 of 2 are in use");
    for (const loan of loans) await loan.release();
  },
  { max: 2, acquireTimeoutMs: 20 },
);

poolTest(
  "SessionPool takes the session back when its user throws",
  async ({ driver, pool }) => {
    const failing = () => pool.use(() => Promise.reject(new Error("mine")));
    for (let i = 0; i < 5; i++) await assertRejects(failing, Error, "mine");
    assertEquals(driver.sessions.length, 1);
  },
  { max: 1 },
);

poolTest(
  "SessionPool closes sessions that stay idle",
  async ({ driver, pool }) => {
    await Promise.all(times(3, () => pool.use(settled)));
    await until(() => driver.sessions.every(({ closed }) => closed));
    await pool.use(settled);
    assertEquals(driver.sessions.length, 4);
  },
  { idleTimeoutMs: 20 },
);

poolTest(
  "SessionPool closes an idle session when its time is over, and never lends it then",
  async ({ driver, pool }) => {
    await pool.use(settled);
    const [session] = driver.sessions;
    const start = performance.now();
    await until(() => session.closed);
    const took = performance.now() - start;
    assert(took > 190 && took < 560, `it took ${took} ms`);

    await pool.use(settled);
    // Without a turn of the loop no timer can close it.
    const end = performance.now() + 200;
    while (performance.now() < end);
    await pool.use(settled);
    assertEquals(driver.sessions.length, 3);
  },
  { idleTimeoutMs: 200 },
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

poolTest(
  "SessionPool replaces sessions that have lived long enough",
  async ({ driver, pool }) => {
    await pool.use(settled);
    await pool.use(settled);
    assertEquals(driver.sessions.length, 1);
    await new Promise((resolve) => setTimeout(resolve, 110));
    await pool.use(settled);
    assertEquals(driver.sessions.length, 2);
    await until(() => driver.sessions[0].closed);
  },
  { maxLifetimeMs: 100 },
);

poolTest(
  "SessionPool spreads the ends of its sessions' lives",
  async ({ driver, pool }) => {
    await Promise.all(times(20, () => pool.use(settled)));
    assertEquals(driver.sessions.length, 20);
    const ends: number[] = [];
    const start = performance.now();
    while (ends.length < 20 && performance.now() - start < 10_000) {
      await Promise.all(times(20, () => pool.use(settled)));
      while (ends.length < driver.sessions.length - 20) {
        ends.push(performance.now() - start);
      }
    }
    assert(ends.length >= 20, "every session was replaced");
    assert(ends[19] - ends[0] > 10, "but not all of them at once");
  },
  // A tenth of it is long beside a turn of the loop, also on a machine that is busy.
  { max: 20, maxLifetimeMs: 3_000 },
);

poolTest(
  "SessionPool tells all callers at once that the server is gone, and works when it is back",
  async ({ driver, pool }) => {
    driver.failure = refused();
    const outcomes = await Promise.allSettled(times(100, () => pool.acquire()));
    for (const outcome of outcomes) {
      assert(outcome.status === "rejected");
      assertStrictEquals(outcome.reason, driver.failure);
    }
    assert(driver.attempts <= 10, "no more attempts than sessions");
    driver.failure = undefined;
    await Promise.all(times(100, () => pool.use(settled)));
  },
  { max: 10, acquireTimeoutMs: 5_000 },
);

poolTest(
  "SessionPool keeps those who wait for sessions in use when the server has no room for more",
  async ({ driver, pool }) => {
    const loan = await pool.acquire();
    driver.failure = new DatabaseError({
      code: "53300",
      message: "too many connections",
    });
    const waiting = pool.acquire();
    await until(() => driver.attempts === 2);
    await settled();
    await loan.release();
    assertStrictEquals((await waiting).session, driver.sessions[0]);
    await (await waiting).release();
  },
);

poolTest(
  "SessionPool tells a caller of a failed connect while others are served",
  async ({ driver, pool }) => {
    const loan = await pool.acquire();
    driver.failure = refused();
    await assertRejects(() => pool.acquire(), DatabaseError, "refused");
    await loan.release();
  },
);

poolTest(
  "SessionPool drains when it is closed: callers are served, new ones refused",
  async ({ driver, pool }) => {
    const loan = await pool.acquire();
    const waiting = pool.use((session) => session.query("late"));
    const closing = pool.close({ timeoutMs: 5_000 });
    assertStrictEquals(pool.close(), closing);
    const error = await assertRejects(() => pool.acquire(), DatabaseError);
    assertEquals(error.code, "08003");
    assertEquals(
      error.message,
      "Cannot use the database: it was closed; make a new Database",
    );
    await loan.session.query("early");
    await loan.release();
    await waiting;
    await closing;
    assertEquals(driver.sessions[0].statements, ["early", "late"]);
    assert(driver.sessions[0].closed);
  },
  { max: 1 },
);

poolTest(
  "SessionPool closes sessions under those who hold them for too long",
  async ({ driver, pool }) => {
    const loan = await pool.acquire();
    driver.sessions[0].gate = new Promise(() => {});
    const statement = loan.session.query("never ends");
    const waiting = pool.acquire();
    const refusals = Promise.all([
      assertRejects(() => statement, DatabaseError, "closed"),
      assertRejects(() => waiting, DatabaseError, "it was closed"),
    ]);
    await pool.close({ timeoutMs: 20 });
    await refusals;
    await loan.release();
  },
  { max: 1 },
);

poolTest(
  "SessionPool gives up opening when it is closed",
  async ({ driver, pool }) => {
    driver.gate = new Promise(() => {});
    const refusal = assertRejects(
      () => pool.acquire(),
      DatabaseError,
      "closed",
    );
    await settled();
    await pool.close({ timeoutMs: 1 });
    await refusal;
  },
);

poolTest(
  "SessionPool that was never used opens nothing to be closed",
  async ({ driver, pool }) => {
    await pool.close();
    await pool.close();
    assertEquals(driver.attempts, 0);
  },
);

Deno.test("SessionPool refuses limits that aren't any", () => {
  const make = (options: object) => () =>
    new SessionPool(new FakeDriver(), resolveConfig(), options);
  for (const max of [0, -1, NaN, "5"]) {
    assertThrows(
      make({ max }),
      ConfigError,
      `Cannot make a pool with max ${max}: give a number above 0`,
    );
  }
  assertThrows(
    make({ max: 1.5 }),
    ConfigError,
    "Cannot make a pool with max 1.5: give a whole number",
  );
  assertThrows(
    make({ idleTimeout: 5 }),
    ConfigError,
    'Cannot use the option "idleTimeout": unknown option; did you mean "idleTimeoutMs"?',
  );
});

poolTest(
  "SessionPool takes any limit above 0, whole or not",
  async ({ driver, pool }) => {
    await pool.use((session) => session.query("x"));
    await pool.use((session) => session.query("y"));
    assertEquals(driver.sessions.length, 1);
  },
  { idleTimeoutMs: 1500.5, acquireTimeoutMs: 99.5, maxLifetimeMs: 1e6 + 0.5 },
);
