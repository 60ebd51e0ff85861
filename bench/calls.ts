/**
 * Measures the same call on every library's client, all of them connected beforehand.
 *
 * @module
 */

import type { Client, Library } from "./clients/client.ts";
import { measure, type Measurement } from "./measure.ts";

/** What is called, and how often. */
export interface Calls {
  /** How often a round calls. */
  readonly count: number;
  /** How many rounds are counted. */
  readonly rounds: number;
  /** The most connections of a pool. Default: 1. */
  readonly max?: number;
  /** The call. */
  call(client: Client, index: number): Promise<unknown>;
}

/** A slow library calls so much less often in a round. */
const SLOW = 50;

/** Measures the calls; the times are those of one call. */
export async function measureCalls(
  url: string,
  libraries: readonly Library[],
  calls: Calls,
): Promise<Measurement[]> {
  const { rounds, max = 1, call } = calls;
  const clients = await Promise.all(
    libraries.map(async (library) => ({
      ...library,
      client: await library.open(url, { max }),
    })),
  );
  const measurements = await measure(
    clients.map(({ name, slow, client }) => ({
      name,
      async run() {
        const count = Math.ceil(calls.count / (slow ? SLOW : 1));
        for (let index = 0; index < count; index++) await call(client, index);
        return count;
      },
    })),
    rounds,
  );
  await Promise.all(clients.map(({ client }) => client.close()));
  return measurements;
}
