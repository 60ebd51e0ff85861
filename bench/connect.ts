/**
 * A connection from nothing to its first answer: where a library connects with its first query,
 * that is the only common measure. A round opens several, one after the other, for else those
 * would be ahead whose code others run, too: four of the candidates stand on `npm:pg`.
 *
 * @module
 */

import type { BenchServer } from "./bench_server.ts";
import type { Client, Library } from "./clients/client.ts";
import { crdbSession } from "./clients/crdb.ts";
import { measure } from "./measure.ts";
import type { Comparison } from "./report.ts";

const IN_A_ROW = 10;

/** Compares the libraries. */
export async function compareConnect(
  { url }: BenchServer,
  libraries: readonly Library[],
): Promise<Comparison> {
  const session = crdbSession(`${libraries[0].name}, a session`);
  const candidates = [...libraries, session].map(({ name, slow, open }) => {
    let clients: Client[] = [];
    return {
      name,
      async run() {
        const count = slow ? 1 : IN_A_ROW;
        for (let opened = 0; opened < count; opened++) {
          const client = await open(url, { max: 1 });
          clients.push(client);
          await client.select(1);
        }
        return count;
      },
      async reset() {
        await Promise.all(clients.map((client) => client.close()));
        clients = [];
      },
    };
  });
  return {
    title: "Opening a connection, and one SELECT",
    measurements: await measure(candidates, 51),
    goals: [
      { of: libraries[0].name, against: ["pg, Pool"], limit: 1 },
      { of: session.name, against: ["pg, Client"], limit: 1 },
    ],
  };
}
