/**
 * A connection from nothing to its first answer, and its end: where a library connects with its
 * first query, that is the only common measure.
 *
 * @module
 */

import type { BenchServer } from "./bench_server.ts";
import type { Library } from "./clients/client.ts";
import { measure } from "./measure.ts";
import type { Comparison } from "./report.ts";

const COUNT = 5;

/** Compares the libraries. */
export async function compareConnect(
  { url }: BenchServer,
  libraries: readonly Library[],
): Promise<Comparison> {
  const candidates = libraries.map(({ name, open }) => ({
    name,
    async run() {
      for (let time = 0; time < COUNT; time++) {
        const client = await open(url, { max: 1 });
        await client.select(1);
        await client.close();
      }
      return COUNT;
    },
  }));
  return {
    title: "Opening a connection, one SELECT, closing it",
    measurements: await measure(candidates, 11),
    goals: [{
      of: libraries[0].name,
      against: ["pg, Client", "pg, Pool"],
      limit: 1,
    }],
  };
}
