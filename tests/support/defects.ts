/**
 * Tests of deno-postgres' defects: one half shows a defect on the bare client, where that is at hand,
 * and the other that a session of ours does without it.
 *
 * @module
 */

import { assertRejects } from "@std/assert";
import { SessionPool } from "../../src/database/pool.ts";
import type { PoolOptions } from "../../src/database/pool_limits.ts";
import type {
  ConnectionConfig,
  Driver,
  Session,
} from "../../src/driver/driver.ts";
import { DatabaseError } from "../../src/errors.ts";
import {
  type BareClient,
  bareClient,
  type BarePool,
  barePool,
  quietly,
  type Traffic,
  withTraffic,
} from "./bare.ts";
import { driverTest, withoutDenoPostgres } from "./drivers.ts";
import { scriptedServer, send, type Step } from "./scripted_server.ts";
import { commandComplete, errorResponse, readyForQuery } from "./wire.ts";

/** What a half of a test can look at. */
export interface Context {
  /** What the server received, a list for each connection. */
  received: string[][];
  /** What passed the connections. */
  traffic: Traffic;
}

/** The two halves of a test, each on a server of its own. */
export interface Halves {
  /** What the server does on its connections. */
  scripts: () => Step[][];
  /** Shows the defect. */
  bare: (client: BareClient, context: Context) => Promise<void>;
  /** Shows that a session of ours doesn't have it. */
  ours: (session: Session, context: Context) => Promise<void>;
}

/** The same for a defect of the pool. */
export interface PoolHalves {
  /** What the server does on its connections. */
  scripts: () => Step[][];
  /** How many clients and sessions the pools have. */
  size: number;
  /** More limits of our pool. */
  limits?: PoolOptions;
  /** Shows the defect. */
  bare: (pool: BarePool, received: string[][]) => Promise<void>;
  /** Shows that our pool doesn't have it. */
  ours: (pool: SessionPool, received: string[][]) => Promise<void>;
}

/** The same where a half makes its own clients, on a server that answers both. */
export interface FreeHalves {
  /** Shows the defect. */
  bare: (config: ConnectionConfig) => Promise<void>;
  /** Shows that a driver of ours doesn't have it. */
  ours: (driver: Driver, config: ConnectionConfig) => Promise<void>;
  /** Why the test can't run here. */
  ignore?: string;
}

/**
 * Registers a test of a defect for each driver; the bare client's half goes with deno-postgres.
 *
 * @param name The defect's number, and what it is.
 * @param halves The two halves, with a client and a session that are logged in.
 */
export function defectTest(name: string, halves: Halves): void {
  const { scripts, bare, ours } = halves;
  driverTest(`has not defect ${name}`, async (driver) => {
    await showing(driver, async (traffic) => {
      await using server = await scriptedServer(...scripts());
      const client = await bareClient(server.config);
      await client.connect();
      await bare(client, { received: server.received, traffic });
    });
    await using server = await scriptedServer(...scripts());
    const { received, config } = server;
    await withTraffic(async (traffic) => {
      const session = await driver.connect(config);
      await ours(session, { received, traffic });
      await session.close();
    });
  });
}

/**
 * The same for a defect of the pool.
 *
 * @param name The defect's number, and what it is.
 * @param halves The two halves, with pools that have no connection yet.
 */
export function poolDefectTest(name: string, halves: PoolHalves): void {
  const { scripts, size, limits, bare, ours } = halves;
  driverTest(`has not defect ${name}`, async (driver) => {
    await showing(driver, async () => {
      await using server = await scriptedServer(...scripts());
      await bare(await barePool(server.config, size), server.received);
    });
    await using server = await scriptedServer(...scripts());
    const pool = new SessionPool(driver, server.config, {
      ...limits,
      max: size,
    });
    await ours(pool, server.received);
    await pool.close();
  });
}

/**
 * The same on a server that is there already, such as a real one.
 *
 * @param name The defect's number, and what it is.
 * @param config The server.
 * @param halves The two halves.
 */
export function defectTestOn(
  name: string,
  config: ConnectionConfig,
  halves: FreeHalves,
): void {
  const { bare, ours, ignore } = halves;
  driverTest(`has not defect ${name}`, async (driver) => {
    await showing(driver, () => bare(config));
    await ours(driver, config);
  }, { ignore });
}

/**
 * Runs the half of a test that shows a defect, where the driver is deno-postgres and at hand. Its
 * connections are closed at the end, and what it prints isn't shown.
 *
 * @param driver The driver under test.
 * @param bare The half.
 */
export async function showing(
  driver: Driver,
  bare: (traffic: Traffic) => Promise<void>,
): Promise<void> {
  if (withoutDenoPostgres !== undefined || driver.name !== "deno-postgres") {
    return;
  }
  await withTraffic((traffic) => quietly(() => bare(traffic)));
}

/** Waits for a database's or driver's failure. */
export function failure(promise: Promise<unknown>): Promise<DatabaseError> {
  return assertRejects(() => promise, DatabaseError);
}

/** Ends a statement that returns no rows. */
export const ok = (tag: string, status: "I" | "T" | "E" = "I"): Step =>
  send(commandComplete(tag), readyForQuery(status));

/** Ends a statement with an error. */
export const refuse = (code: string, status: "I" | "T" | "E" = "I"): Step =>
  send(
    errorResponse({ code, message: "restart transaction" }),
    readyForQuery(status),
  );
