/**
 * A session that is simulated, for what only newer versions of CockroachDB answer.
 *
 * @module
 */

import type { QueryResult, Session } from "../../src/driver/driver.ts";

const TYPES = {
  job_id: 20,
  created: 1184,
  session_start: 1184,
  asked_at: 1184,
  active_query_start: 1184,
};

/** A session of CockroachDB that answers what `answers` gives, one after the other. */
export function simulated(
  ...answers: readonly (readonly Record<string, string | null>[])[]
): Session & { texts: string[] } {
  const left = [...answers];
  const texts: string[] = [];
  const query = (text: string): Promise<QueryResult> => {
    texts.push(text);
    const rows = left.shift() ?? [];
    const names = Object.keys(rows[0] ?? {});
    return Promise.resolve({
      columns: names.map((name) => ({
        name,
        typeOid: TYPES[name as keyof typeof TYPES] ?? 25,
      })),
      rows: rows.map((row) => names.map((name) => row[name])),
      command: "SELECT",
      rowCount: rows.length,
      notices: [],
    });
  };
  return {
    parameters: { crdb_version: "CockroachDB CCL v26.1.0" },
    broken: false,
    transactionStatus: "idle",
    query,
    stream: () => {
      throw new Error("not simulated");
    },
    cancel: () => Promise.resolve(),
    close: () => Promise.resolve(),
    texts,
  };
}
