/**
 * Pools of sessions that no server is behind.
 *
 * @module
 */

import { SessionPool } from "../../src/database/pool.ts";
import type { PoolOptions } from "../../src/database/pool_limits.ts";
import { resolveConfig } from "../../src/driver/config.ts";
import { FakeDriver } from "./fake_driver.ts";

/** What a test of a pool is given. */
export interface Fixture {
  /** What opens the pool's sessions. */
  driver: FakeDriver;
  /** The pool, with the limits that the test gives. */
  pool: SessionPool;
}

/** Registers a test with a pool of its own, which is closed afterwards. */
export function poolTest(
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
export function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Waits until something has happened. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Makes so many of something. */
export function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}
