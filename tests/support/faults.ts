/**
 * How much the fault suite does: all points with `CRDB_FAULTS=all`, else a part of them that a seed
 * chooses (`CRDB_FAULTS_SEED`).
 *
 * @module
 */

import { server, type ServerKind } from "./database.ts";

/** Whether all points are tried. */
export const isAll: boolean = Deno.env.get("CRDB_FAULTS") === "all";

/** What chooses the part. */
export const seed: number = Number(Deno.env.get("CRDB_FAULTS_SEED") ?? 1);

/** Chooses one of `stride` items by the seed, other ones for each salt; all items with `isAll`. */
export function chosen<T>(items: readonly T[], stride: number, salt = 0): T[] {
  if (isAll) return [...items];
  const offset = Math.abs(Math.imul(seed * 31 + salt, 2654435761)) % stride;
  return items.filter((_, index) => (index + offset) % stride === 0);
}

/** Names the part that is tried. */
export function part(stride: number): string {
  return isAll ? "every one" : `one in ${stride}, by seed ${seed}`;
}

/** Says how many points a run has survived. */
export function report(points: number, how: string): void {
  console.log(`faults: ${points} points survived on ${server.kind} (${how})`);
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
