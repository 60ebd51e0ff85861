/**
 * Connections: ten that are opened one after the other and kept, by a pool where the library has
 * one, which was made before; and clients from nothing to their first answer.
 *
 * Of those, too, a round makes ten in a row: else they would be ahead whose code others run as well,
 * for four of the candidates stand on `npm:pg`.
 *
 * @module
 */

import type { BenchServer } from "./bench_server.ts";
import type { Client, EmptyPool, Library } from "./clients/client.ts";
import { crdbSession } from "./clients/crdb.ts";
import { type Candidate, measure } from "./measure.ts";
import type { Comparison } from "./report.ts";

const IN_A_ROW = 10;
const ROUNDS = 201;
/** The server's share is nearly all of it, so what is compared lies within hundredths. */
const OPENING_ROUNDS = 601;
/** The server is busy with ending sessions for a while after their connections were closed. */
const SETTLE_MS = 5;

/** Compares opening connections. */
export async function compareConnect(
  { url }: BenchServer,
  libraries: readonly Library[],
): Promise<Comparison> {
  const session = crdbSession(`${libraries[0].name}, a session`);
  const candidates = [...libraries, session].flatMap((library) => {
    const { name, pooled, makePool } = library;
    if (pooled && makePool === undefined) return [];
    const make = makePool ?? clientsOf(library);
    return openingCandidate(name, () => make(url, { max: IN_A_ROW }));
  });
  return {
    title: "Opening a connection",
    measurements: await measure(candidates, OPENING_ROUNDS),
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
    firstUseCandidate(name, () => open(url, { max: 1 }), slow ? 1 : IN_A_ROW)
  );
  return {
    title: "A new client, and one SELECT",
    measurements: await measure(candidates, ROUNDS),
    goals: [],
  };
}

/** Clients of a library without a pool, as a pool of them. */
function clientsOf({ open }: Library): (url: string) => EmptyPool {
  return (url) => {
    const clients: Client[] = [];
    return {
      async openOne() {
        clients.push(await open(url, { max: 1 }));
      },
      close: () => closeAll(clients),
    };
  };
}

function openingCandidate(name: string, makePool: () => EmptyPool): Candidate {
  let pool: EmptyPool;
  return {
    name,
    prepare() {
      pool = makePool();
    },
    async run() {
      for (let count = 0; count < IN_A_ROW; count++) await pool.openOne();
      return IN_A_ROW;
    },
    reset: () => settled(pool.close()),
  };
}

function firstUseCandidate(
  name: string,
  open: () => Promise<Client>,
  count: number,
): Candidate {
  const clients: Client[] = [];
  return {
    name,
    async run() {
      while (clients.length < count) {
        const client = await open();
        clients.push(client);
        await client.select(1);
      }
      return count;
    },
    reset: () => settled(closeAll(clients.splice(0))),
  };
}

async function settled(closing: Promise<void>): Promise<void> {
  await closing;
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}

async function closeAll(clients: readonly Client[]): Promise<void> {
  await Promise.all(clients.map((client) => client.close()));
}
