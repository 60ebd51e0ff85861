/**
 * Many queries at once on a pool that has fewer connections.
 *
 * @module
 */

import type { BenchServer } from "./bench_server.ts";
import { measureCalls } from "./calls.ts";
import type { Library } from "./clients/client.ts";
import type { Comparison } from "./report.ts";

const QUERIES = 50;
const CONNECTIONS = 10;

/** Compares those libraries that have a pool. */
export async function compareConcurrency(
  { url }: BenchServer,
  libraries: readonly Library[],
): Promise<Comparison> {
  const pooled = libraries.filter(({ pooled }) => pooled);
  return {
    title: `${QUERIES} concurrent SELECTs on a pool of ${CONNECTIONS}`,
    measurements: await measureCalls(url, pooled, {
      count: 10,
      rounds: 41,
      max: CONNECTIONS,
      call: (client) =>
        Promise.all(
          Array.from(
            { length: QUERIES },
            (_, index) => client.select(index + 1),
          ),
        ),
    }),
    goals: [{ of: libraries[0].name, against: ["pg, Pool"], limit: 1 }],
  };
}
