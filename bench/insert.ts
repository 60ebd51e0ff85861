/**
 * One INSERT … RETURNING, again and again on one connection.
 *
 * @module
 */

import type { BenchServer } from "./bench_server.ts";
import { measureCalls } from "./calls.ts";
import { accountOf, type Library } from "./clients/client.ts";
import { type Comparison, singleStatementGoals } from "./report.ts";

/** Compares the libraries. */
export async function compareInsert(
  { url, emptyEntries }: BenchServer,
  libraries: readonly Library[],
): Promise<Comparison> {
  const measurements = await measureCalls(url, libraries, {
    count: 200,
    rounds: 101,
    call: (client, index) => client.insert(accountOf(index)),
  });
  await emptyEntries();
  return {
    title: "One INSERT … RETURNING",
    measurements,
    goals: singleStatementGoals(libraries[0].name),
  };
}
