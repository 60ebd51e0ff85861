/**
 * How much the fault suite does: all points with `CRDB_FAULTS=all`, one in five of all with
 * `CRDB_FAULTS=5`, else a small part of them. A seed chooses them (`CRDB_FAULTS_SEED`).
 *
 * @module
 */

import { server, type ServerKind } from "./database.ts";

const asked = Deno.env.get("CRDB_FAULTS");

/** Of how many points one is tried, where that was asked for. */
const askedStride: number | undefined = asked === undefined
  ? undefined
  : asked === "all"
  ? 1
  : Number(asked);

/** Why a test that takes half a minute waits for a full run; `undefined` in one. */
export const notInFull: string | undefined = askedStride === 1
  ? undefined
  : "it takes half a minute; deno task test:faults runs it";

/** What chooses the part. */
export const seed: number = Number(Deno.env.get("CRDB_FAULTS_SEED") ?? 1);

/** Chooses one of `stride` items by the seed, other ones for each salt; more where that was asked for. */
export function chosen<T>(items: readonly T[], stride: number, salt = 0): T[] {
  const every = askedStride ?? stride;
  const offset = Math.abs(Math.imul(seed * 31 + salt, 2654435761)) % every;
  return items.filter((_, index) => (index + offset) % every === 0);
}

/** Chooses among cases that take CockroachDB a second each; PostgreSQL tries all. */
export function chosenCases<T>(cases: readonly T[]): T[] {
  return chosen(cases, server.kind === "cockroachdb" ? 4 : 1);
}

/** Chooses whole migrations to try points of; all, where a part of the points was asked for. */
export function chosenFiles<T>(files: readonly T[], stride: number): T[] {
  return askedStride === undefined ? chosen(files, stride) : [...files];
}

/** Names the part that is tried. */
export function part(stride: number): string {
  const every = askedStride ?? stride;
  return every === 1 ? "every one" : `one in ${every}, by seed ${seed}`;
}

/** Says how many points a run has survived. */
export function report(points: number, how: string): void {
  const share = askedStride !== undefined && askedStride > 1
    ? `, one in ${askedStride}`
    : "";
  console.log(
    `faults: ${points} points survived on ${server.kind} (${how}${share})`,
  );
}

/** Runs `fn` for each item, a few at a time, and gives the results in order. */
export async function inLanes<T, R>(
  items: readonly T[],
  lanes: number,
  fn: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  await Promise.all(Array.from({ length: lanes }, async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await fn(items[index], index);
    }
  }));
  return results;
}

/** The strategies that a kind of server allows, with the one that it has by itself first. */
export function strategiesOf(
  kind: ServerKind,
): readonly ("statements" | "transaction")[] {
  return kind === "cockroachdb"
    ? ["statements"]
    : ["transaction", "statements"];
}
