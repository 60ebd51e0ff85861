/**
 * Many rows inserted at once, each library in its own best way, on a pool.
 *
 * @module
 */

import type { BenchServer } from "./bench_server.ts";
import { accountOf, type Library } from "./clients/client.ts";
import { measure } from "./measure.ts";
import type { Comparison } from "./report.ts";

const ROWS = 10_000;

/** Compares those libraries that have a way to insert many rows. */
export async function compareBatchInsert(
  { url, emptyEntries }: BenchServer,
  libraries: readonly Library[],
): Promise<Comparison> {
  const rows = Array.from({ length: ROWS }, (_, index) => accountOf(index));
  const clients = await Promise.all(
    libraries.map(async ({ name, open }) => ({
      name,
      client: await open(url, { max: 10 }),
    })),
  );
  const measurements = await measure(
    clients
      .filter(({ client }) => client.insertMany !== undefined)
      .map(({ name, client }) => ({
        name,
        async run() {
          await client.insertMany!(rows);
        },
        reset: emptyEntries,
      })),
    41,
  );
  await Promise.all(clients.map(({ client }) => client.close()));
  return {
    title: `${ROWS.toLocaleString("en")} rows inserted at once`,
    measurements,
    goals: [{
      of: libraries[0].name,
      against: ["postgres.js", "kysely", "drizzle"],
      limit: 0.5,
    }],
  };
}
