/**
 * PostgreSQL's CREATE INDEX CONCURRENTLY. Where it fails, an index that isn't valid stays behind: it is
 * never used, and its name is in the way when the statement is run again.
 *
 * @module
 */

import { DatabaseError } from "../errors.ts";
import type { Effect } from "./effect.ts";
import { type Flight, send } from "./flight.ts";
import type { PlannedStatement } from "./planned.ts";
import { findIndex } from "./predicate_index.ts";
import { classify } from "./statement.ts";

type Index = Extract<Effect, { type: "index" }>;

/** Those of constraints can't be dropped, and one that somebody is building may still become valid. */
const LEFT_BEHIND =
  "SELECT c.oid::REGCLASS FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid " +
  "WHERE NOT x.indisvalid AND c.relkind = 'i' " +
  "AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conindid = c.oid) " +
  // Of other users' work PostgreSQL may tell no more than that there is some.
  "AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index p " +
  "WHERE p.datname = current_database() AND COALESCE(p.relid = x.indrelid, true)) AND c.oid IN ";

/**
 * Sends a schema change. Before one that makes an index of a name concurrently, what an earlier attempt
 * left of that index is dropped.
 *
 * @throws {DatabaseError} With SQLSTATE 55000 where IF NOT EXISTS has found an index that isn't valid.
 */
export async function sendChange(
  flight: Flight,
  planned: PlannedStatement,
): Promise<void> {
  const index = concurrentIndex(flight, planned);
  if (index === undefined) return await send(flight, planned);
  const { table, name } = index;
  const found = findIndex(table, name!, "path", { kind: "postgresql" })!;
  for (const [left] of await ask(`${LEFT_BEHIND}(${found})`)) {
    await ask(`DROP INDEX CONCURRENTLY IF EXISTS ${left}`);
  }
  await send(flight, planned);
  const invalid = await ask(`${found} AND NOT i.indisvalid`);
  if (invalid.length === 0) return;
  throw new DatabaseError({
    code: "55000",
    message: `The index ${name!.at(-1)} was there already, and isn't valid`,
    hint: "Where nobody is building it any more, another run drops it and " +
      "makes it again; where it belongs to a constraint, drop that.",
  }, { statement: planned.statement.text });

  async function ask(text: string): Promise<(string | null)[][]> {
    const { session, stop: signal } = flight.run;
    const { timeoutMs } = planned.statement.directives;
    return (await session.query(text, [], { timeoutMs, signal })).rows;
  }
}

/** The index that a statement makes concurrently, where it says the name. */
function concurrentIndex(
  { run }: Flight,
  { statement, verb, transactional }: PlannedStatement,
): Index | undefined {
  const isConcurrent = verb === "CREATE INDEX" && !transactional;
  if (run.kind !== "postgresql" || !isConcurrent) return undefined;
  const [effect] = classify(statement.text, run).effects ?? [];
  return effect?.type === "index" && effect.name !== undefined &&
      effect.table !== undefined
    ? effect
    : undefined;
}
