/**
 * The drivers under test: `driverTest()` registers a test for each of them.
 *
 * @module
 */

import type { Driver } from "../../src/driver/driver.ts";
import { pgDriver } from "../../src/driver/pg.ts";

/** Why deno-postgres can't be tested; `undefined` where it can. */
export const withoutDenoPostgres: string | undefined = findReason();

function findReason(): string | undefined {
  try {
    import.meta.resolve("@db/postgres");
  } catch {
    return "npm mode has no @db/postgres";
  }
}

/** The drivers, and why one of them can't be tested. */
export const drivers: readonly { driver: Driver; reason?: string }[] = [
  {
    driver: withoutDenoPostgres === undefined
      ? (await import("../../src/driver/deno_postgres.ts")).denoPostgresDriver()
      : { name: "deno-postgres", connect: () => Promise.reject(new Error()) },
    reason: withoutDenoPostgres,
  },
  { driver: pgDriver() },
];

/**
 * Registers a test for each driver.
 *
 * @param name A sentence about what a driver does; the driver's name is put before it.
 * @param fn The test.
 * @param options Why the test can't run with any driver here.
 */
export function driverTest(
  name: string,
  fn: (driver: Driver) => Promise<void>,
  options: { ignore?: string } = {},
): void {
  for (const { driver, reason = options.ignore } of drivers) {
    Deno.test({
      name: `${driver.name} ${name}${reason ? ` [ignored: ${reason}]` : ""}`,
      ignore: reason !== undefined,
      fn: () => fn(driver),
    });
  }
}
