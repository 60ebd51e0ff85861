/**
 * The ladder: a database to stand on, whatever the machine has. `DATABASE_URL` comes first, then a
 * `cockroach` binary, then PostgreSQL's own binaries, then PGlite, which npm brings.
 *
 * @module
 */

import { startCockroach } from "./cockroach_server.ts";
import { startPostgresql } from "./postgresql_server.ts";
import type { LadderServer, Rung } from "./rung.ts";

export type { LadderServer, Rung } from "./rung.ts";

const RUNGS: Record<Rung, () => Promise<LadderServer | undefined>> = {
  DATABASE_URL: given,
  cockroach,
  postgresql: startPostgresql,
  pglite,
};

/**
 * Climbs the ladder to the first rung that holds.
 *
 * @param rungs The rungs to try, in order.
 */
export async function climb(
  rungs: readonly Rung[] = [
    "DATABASE_URL",
    "cockroach",
    "postgresql",
    "pglite",
  ],
): Promise<LadderServer> {
  for (const rung of rungs) {
    const server = await RUNGS[rung]();
    if (server) return server;
  }
  throw new Error(
    `Cannot find a database: none of ${
      rungs.join(", ")
    } is there; set DATABASE_URL`,
  );
}

function given(): Promise<LadderServer | undefined> {
  const url = Deno.env.get("DATABASE_URL");
  return Promise.resolve(
    url
      ? {
        rung: "DATABASE_URL",
        description: "the server of DATABASE_URL",
        url,
        stop: () => Promise.resolve(),
      }
      : undefined,
  );
}

function cockroach(): Promise<LadderServer | undefined> {
  return startCockroach("type=mem,size=1GiB");
}

async function pglite(): Promise<LadderServer> {
  const { startPglite } = await import("./pglite.ts");
  const { port, stop } = await startPglite();
  return {
    rung: "pglite",
    description: "PGlite, embedded",
    url: `postgresql://postgres@127.0.0.1:${port}/postgres?sslmode=disable`,
    stop,
  };
}
