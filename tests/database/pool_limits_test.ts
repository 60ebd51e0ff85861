/**
 * The limits of a pool: how long its sessions live and stay idle, and which limits are refused.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { SessionPool } from "../../src/database/pool.ts";
import { resolveConfig } from "../../src/driver/config.ts";
import { ConfigError } from "../../src/errors.ts";
import { FakeDriver } from "../support/fake_driver.ts";
import { poolTest, settled, times, until } from "../support/pools.ts";

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
