/**
 * A server to measure on, with a database of its own and the tables in it.
 *
 * @module
 */

import { Database } from "../mod.ts";
import { climb } from "../tests/support/ladder.ts";
import { ACCOUNT_TABLE, ENTRY_TABLE } from "./clients/client.ts";

/** A server with the tables. */
export interface BenchServer {
  /** What it is, with its version. */
  readonly description: string;
  /** Which of the two it is. */
  readonly kind: "cockroachdb" | "postgresql";
  /** The address of the database. */
  readonly url: string;
  /** Makes another, empty database and returns its address. */
  makeDatabase(): Promise<string>;
  /** Drops a database that was made. */
  dropDatabase(url: string): Promise<void>;
  /** Empties the table `entry`. */
  emptyEntries(): Promise<void>;
  /** Drops the databases, and stops what was started. */
  stop(): Promise<void>;
}

/** How many rows the table `account` has. */
export const ACCOUNTS = 100_000;

/** Finds the servers: those given, or a PostgreSQL and a CockroachDB of this machine. */
export async function findServers(
  urls: readonly string[],
): Promise<BenchServer[]> {
  if (urls.length > 0) {
    return await Promise.all(urls.map((url) => prepare(url)));
  }
  const servers: BenchServer[] = [];
  for (const rung of ["postgresql", "cockroach"] as const) {
    const found = await climb([rung]).catch(() => undefined);
    if (found !== undefined) servers.push(await prepare(found.url, found.stop));
  }
  return servers;
}

async function prepare(
  serverUrl: string,
  stopServer: () => Promise<void> = () => Promise.resolve(),
): Promise<BenchServer> {
  const admin = new Database({ url: serverUrl });
  const made = new Set<string>();
  const makeDatabase = async () => {
    const name = `crdb_bench_${crypto.randomUUID().slice(0, 8)}`;
    await admin.createDatabase(name);
    made.add(name);
    const url = new URL(serverUrl);
    url.pathname = `/${name}`;
    return url.href;
  };
  const drop = async (name: string) => {
    await admin.dropDatabase(name, { cascade: true });
    made.delete(name);
  };
  const url = await makeDatabase();
  const db = new Database({ url });
  await db.execute(ACCOUNT_TABLE);
  await db.execute(ENTRY_TABLE);
  await db.execute(
    "INSERT INTO account SELECT i, 'account number ' || i, i * 1.25, " +
      "TIMESTAMPTZ '2023-11-14 22:13:20.123Z' + i * INTERVAL '1 second' " +
      `FROM generate_series(1, ${ACCOUNTS}) AS g (i)`,
  );
  const { kind, version } = await db.server();
  return {
    description: `${
      kind === "cockroachdb" ? "CockroachDB" : "PostgreSQL"
    } ${version}`,
    kind,
    url,
    makeDatabase,
    dropDatabase: (url) => drop(new URL(url).pathname.slice(1)),
    async emptyEntries() {
      await db.execute("TRUNCATE TABLE entry");
    },
    async stop() {
      await db.close();
      for (const name of made) await drop(name);
      await admin.close();
      await stopServer();
    },
  };
}
