/**
 * A connection from nothing to its first answer: where a library connects with its first query,
 * that is the only common measure.
 *
 * @module
 */

import type { BenchServer } from "./bench_server.ts";
import type { Client, Library } from "./clients/client.ts";
import { crdbSession } from "./clients/crdb.ts";
import { measure } from "./measure.ts";
import type { Comparison } from "./report.ts";

/** Compares the libraries. */
export async function compareConnect(
  { url }: BenchServer,
  libraries: readonly Library[],
): Promise<Comparison> {
  const session = crdbSession(`${libraries[0].name}, a session`);
  const candidates = [...libraries, session].map(({ name, open }) => {
    let client: Client;
    return {
      name,
      async run() {
        client = await open(url, { max: 1 });
        await client.select(1);
      },
      reset: () => client.close(),
    };
  });
  return {
    title: "Opening a connection, and one SELECT",
    measurements: await measure(candidates, 101),
    goals: [
      { of: libraries[0].name, against: ["pg, Pool"], limit: 1 },
      { of: session.name, against: ["pg, Client"], limit: 1 },
    ],
  };
}
