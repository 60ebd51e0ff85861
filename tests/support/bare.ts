/**
 * deno-postgres as it is, without anything of ours: for tests that show a defect of it.
 *
 * @module
 */

import { Socket } from "node:net";
import { fromFileUrl } from "@std/path";
import type { ConnectionConfig } from "../../src/driver/driver.ts";

/** The part of deno-postgres' `Client` that tests use. */
export interface BareClient {
  /** Whether it believes to be connected. */
  readonly connected: boolean;
  /** Runs a statement. */
  queryArray(
    query: string | Record<string, unknown>,
    args?: unknown[],
  ): Promise<BareResult>;
  /** Makes a transaction. */
  createTransaction(name: string): BareTransaction;
  /** Logs in. */
  connect(): Promise<void>;
  /** Says good-bye. */
  end(): Promise<void>;
}

/** What it answers. */
export interface BareResult {
  /** The rows. */
  rows: unknown[][];
  /** The number of rows. */
  rowCount?: number;
  /** Notices. */
  warnings: unknown[];
}

/** A transaction of its. */
export interface BareTransaction {
  /** Begins. */
  begin(): Promise<void>;
  /** Runs a statement. */
  queryArray(text: string): Promise<BareResult>;
}

/** What was done with connections. */
export interface Traffic {
  /** How often those of `Deno.connect()` were read. */
  reads: number;
  /** How many are probed while they are silent. */
  keptAlive: number;
}

/**
 * Counts what is done with connections meanwhile, and closes those of `Deno.connect()` that are still
 * open at the end: a bare client can't always do that by itself.
 *
 * @param fn The code that opens connections.
 */
export async function withTraffic(
  fn: (traffic: Traffic) => Promise<void>,
): Promise<void> {
  const traffic = { reads: 0, keptAlive: 0 };
  const conns: Deno.Conn[] = [];
  const { connect } = Deno;
  const counted = async (options: Deno.ConnectOptions) => {
    const conn = await connect(options);
    const read = conn.read.bind(conn);
    conn.read = (buffer) => {
      traffic.reads++;
      return read(buffer);
    };
    const setKeepAlive = conn.setKeepAlive.bind(conn);
    conn.setKeepAlive = (alive) => {
      traffic.keptAlive++;
      setKeepAlive(alive);
    };
    conns.push(conn);
    return conn;
  };
  const { setKeepAlive } = Socket.prototype;
  const countedToo: typeof setKeepAlive = function (this: Socket, ...how) {
    traffic.keptAlive++;
    return setKeepAlive.apply(this, how);
  };
  Object.assign(Deno, { connect: counted });
  Object.assign(Socket.prototype, { setKeepAlive: countedToo });
  try {
    await fn(traffic);
  } finally {
    Object.assign(Deno, { connect });
    Object.assign(Socket.prototype, { setKeepAlive });
    for (const conn of conns) {
      try {
        conn.close();
      } catch {
        // It was closed before.
      }
    }
  }
}

/** A pool of bare clients. */
export interface BarePool {
  /** Borrows a client. */
  connect(): Promise<BareClient & { release(): void }>;
}

/** An address in deno-postgres' words, without TLS. */
function addressOf(config: ConnectionConfig) {
  const { host: hostname, port, user, password, database } = config;
  const tls = { enabled: false };
  return { hostname, port, user, password, database, tls };
}

/**
 * Makes a bare client, which isn't connected yet.
 *
 * @param address The server; or a URL, which the client understands by itself.
 * @param options More options of the client.
 */
export async function bareClient(
  address: ConnectionConfig | string,
  options: Record<string, unknown> = {},
): Promise<BareClient> {
  const { Client } = await import("@db/postgres");
  return new Client(
    typeof address === "string"
      ? address
      : { ...addressOf(address), ...options },
  ) as unknown as BareClient;
}

/**
 * Makes a pool of bare clients, which connect when they are borrowed.
 *
 * @param config The server.
 * @param size How many clients it has.
 */
export async function barePool(
  config: ConnectionConfig,
  size: number,
): Promise<BarePool> {
  const { Pool } = await import("@db/postgres");
  return new Pool(addressOf(config), size, true) as unknown as BarePool;
}

/**
 * Runs code in a process of its own, which it may be the end of. It lives for some seconds otherwise.
 *
 * @param config The server, which the code has as `address`.
 * @param code What to do with `Client` and `Pool`.
 * @returns What the process said and how it ended.
 */
export async function bareProcess(
  config: ConnectionConfig,
  code: string,
): Promise<{ code: number; stderr: string }> {
  const map = fromFileUrl(new URL("../../deno.json", import.meta.url));
  const source = `import { Client, Pool } from "@db/postgres";
    setTimeout(() => Deno.exit(0), 3_000);
    const address = ${JSON.stringify(addressOf(config))};
    ${code}`;
  const { code: status, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", "--config", map, source],
  }).output();
  return { code: status, stderr: new TextDecoder().decode(stderr) };
}

/** Keeps what a bare client prints from the console. */
export async function quietly<T>(fn: () => Promise<T>): Promise<T> {
  const { error } = console;
  console.error = () => {};
  try {
    return await fn();
  } finally {
    console.error = error;
  }
}

/** Says whether a promise is still pending after a time. */
export async function hangs(
  promise: Promise<unknown>,
  ms = 300,
): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, ms, true);
  const settled = promise.then(() => false, () => false);
  const pending = await Promise.race([settled, late]);
  clearTimeout(timer);
  return pending;
}
