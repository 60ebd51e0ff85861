/**
 * A connection from nothing to its first answer: where a library connects with its first query,
 * that is the only common measure.
 *
 * @module
 */

import type { BenchServer } from "./bench_server.ts";
import type { Client, Library } from "./clients/client.ts";
import { measure } from "./measure.ts";
import type { Comparison } from "./report.ts";

const COUNT = 5;

/** Compares the libraries. */
export async function compareConnect(
  { url }: BenchServer,
  libraries: readonly Library[],
): Promise<Comparison> {
  const candidates = libraries.map(({ name, open }) => {
    const opened: Client[] = [];
    return {
      name,
      async run() {
        for (let time = 0; time < COUNT; time++) {
          const client = await open(url, { max: 1 });
          opened.push(client);
          await client.select(1);
        }
        return COUNT;
      },
      async reset() {
        await Promise.all(opened.splice(0).map((client) => client.close()));
      },
    };
  });
  return {
    title: "Opening a connection, and one SELECT",
    measurements: await measure(candidates, 11),
    goals: [{
      of: libraries[0].name,
      against: ["pg, Client", "pg, Pool"],
      limit: 1,
    }],
  };
}
