/**
 * Many rows in one result, decoded into objects.
 *
 * @module
 */

import { ACCOUNTS, type BenchServer } from "./bench_server.ts";
import { measureCalls } from "./calls.ts";
import type { Library } from "./clients/client.ts";
import type { Comparison } from "./report.ts";

/** Compares the libraries. */
export async function compareRows(
  { url }: BenchServer,
  libraries: readonly Library[],
): Promise<Comparison> {
  return {
    title: `${ACCOUNTS.toLocaleString("en")} rows of 4 columns`,
    measurements: await measureCalls(url, libraries, {
      count: 1,
      rounds: 15,
      call: async (client) => {
        const { length } = await client.read();
        if (length !== ACCOUNTS) throw new Error(`There are ${length} rows`);
      },
    }),
    goals: [{
      of: libraries[0].name,
      against: ["pg, Client", "pg, Pool", "postgres.js"],
      limit: 1,
    }],
  };
}
