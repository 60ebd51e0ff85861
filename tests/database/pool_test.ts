/**
 * The pool, without a server: which sessions it opens, lends, takes back and closes.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { DatabaseError } from "../../src/errors.ts";
import { poolTest, settled, times, until } from "../support/pools.ts";

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
