/**
 * One parametrised SELECT of a row by its key, again and again on one connection.
 *
 * @module
 */

import type { BenchServer } from "./bench_server.ts";
import type { Library } from "./clients/client.ts";
import { measureCalls } from "./calls.ts";
import { type Comparison, singleStatementGoals } from "./report.ts";

/** Compares the libraries. */
export async function compareSelect(
  { url }: BenchServer,
  libraries: readonly Library[],
): Promise<Comparison> {
  return {
    title: "One parametrised SELECT",
    measurements: await measureCalls(url, libraries, {
      count: 200,
      rounds: 101,
      call: (client, index) => client.select(index + 1),
    }),
    goals: singleStatementGoals(libraries[0].name),
  };
}
