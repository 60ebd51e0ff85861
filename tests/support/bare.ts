/**
 * deno-postgres as it is, without anything of ours: for tests that show a defect of it.
 *
 * @module
 */

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

/** What passed the connections of `Deno.connect()`. */
export interface Traffic {
  /** How often they were read. */
  reads: number;
}

/**
 * Counts what connections do that are opened meanwhile, and closes those that are still open at the
 * end: a bare client can't always do that by itself.
 *
 * @param fn The code that opens connections.
 */
export async function withTraffic(
  fn: (traffic: Traffic) => Promise<void>,
): Promise<void> {
  const traffic = { reads: 0 };
  const conns: Deno.Conn[] = [];
  const { connect } = Deno;
  const counted = async (options: Deno.ConnectOptions) => {
    const conn = await connect(options);
    const read = conn.read.bind(conn);
    conn.read = (buffer) => {
      traffic.reads++;
      return read(buffer);
    };
    conns.push(conn);
    return conn;
  };
  Object.assign(Deno, { connect: counted });
  try {
    await fn(traffic);
  } finally {
    Object.assign(Deno, { connect });
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

const addressOf = (port: number) => ({
  ...{ hostname: "127.0.0.1", port, user: "root", database: "db" },
  tls: { enabled: false },
});

/**
 * Makes a bare client, which isn't connected yet.
 *
 * @param port The server's port on 127.0.0.1.
 * @param options More options of the client.
 */
export async function bareClient(
  port: number,
  options: Record<string, unknown> = {},
): Promise<BareClient> {
  const { Client } = await import("@db/postgres");
  return new Client({
    ...addressOf(port),
    ...options,
  }) as unknown as BareClient;
}

/**
 * Makes a pool of bare clients, which connect when they are borrowed.
 *
 * @param port The server's port on 127.0.0.1.
 * @param size How many clients it has.
 */
export async function barePool(port: number, size: number): Promise<BarePool> {
  const { Pool } = await import("@db/postgres");
  return new Pool(addressOf(port), size, true) as unknown as BarePool;
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
