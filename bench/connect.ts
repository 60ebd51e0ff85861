/**
 * Connections: ten that are opened one after the other and kept, by a pool where the library has
 * one; and clients from nothing to their first answer.
 *
 * Of those, too, a round makes ten in a row: else they would be ahead whose code others run as well,
 * for four of the candidates stand on `npm:pg`.
 *
 * @module
 */

import type { BenchServer } from "./bench_server.ts";
import type { Client, Library } from "./clients/client.ts";
import { crdbSession } from "./clients/crdb.ts";
import { type Candidate, measure } from "./measure.ts";
import type { Comparison } from "./report.ts";

const IN_A_ROW = 10;
const ROUNDS = 51;

/** Compares opening connections. */
export async function compareConnect(
  { url }: BenchServer,
  libraries: readonly Library[],
): Promise<Comparison> {
  const session = crdbSession(`${libraries[0].name}, a session`);
  const candidates = [...libraries, session].flatMap((library) => {
    const { name, pooled, open, openConnections } = library;
    if (openConnections !== undefined) {
      return candidateOf(name, (count) => openConnections(url, count));
    }
    return pooled ? [] : candidateOf(name, async (count) => {
      const clients: Client[] = [];
      while (clients.length < count) clients.push(await open(url, { max: 1 }));
      return () => closeAll(clients);
    });
  });
  return {
    title: "Opening a connection",
    measurements: await measure(candidates, ROUNDS),
    goals: [
      { of: libraries[0].name, against: ["pg, Pool"], limit: 1 },
      { of: session.name, against: ["pg, Client"], limit: 1 },
    ],
  };
}

/** Compares making a client and waiting for its first answer. */
export async function compareFirstUse(
  { url }: BenchServer,
  libraries: readonly Library[],
): Promise<Comparison> {
  const candidates = libraries.map(({ name, slow, open }) =>
    candidateOf(name, async (count) => {
      const clients: Client[] = [];
      while (clients.length < count) {
        const client = await open(url, { max: 1 });
        clients.push(client);
        await client.select(1);
      }
      return () => closeAll(clients);
    }, slow ? 1 : IN_A_ROW)
  );
  return {
    title: "A new client, and one SELECT",
    measurements: await measure(candidates, ROUNDS),
    goals: [],
  };
}

/** A candidate that opens so many, and closes them when that was measured. */
function candidateOf(
  name: string,
  openMany: (count: number) => Promise<() => Promise<void>>,
  count = IN_A_ROW,
): Candidate {
  let close: () => Promise<void>;
  return {
    name,
    async run() {
      close = await openMany(count);
      return count;
    },
    reset: () => close(),
  };
}

async function closeAll(clients: readonly Client[]): Promise<void> {
  await Promise.all(clients.map((client) => client.close()));
}
