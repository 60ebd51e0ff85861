/**
 * What rows and values are kept in, as the catalog has it: a statement that gives them other storage is
 * told by that.
 *
 * @module
 */

import { quoteLiteral } from "../sql.ts";
import { type Catalog, oidOf } from "./catalog.ts";
import type { Effect } from "./effect.ts";

type Of<T extends Effect["type"]> = Extract<Effect, { type: T }>;

/** An effect that gives something other storage. */
type Stored = Of<"truncation"> | Of<"restart">;

/** Makes an expression for what the rows of a table, or the value of a sequence, are kept in. */
export function storageOf(
  effect: Stored,
  catalog: Catalog,
): string | undefined {
  const isTable = effect.type === "truncation";
  const oid = isTable
    ? oidOf("relation", effect.table, catalog)
    : oidOf("sequence", effect.sequence, catalog);
  if (oid === undefined) return undefined;
  if (catalog.kind === "postgresql") {
    return `COALESCE(pg_relation_filenode(${oid})::TEXT, ${partitionsOf(oid)})`;
  }
  // CockroachDB's RESTART leaves the sequence where it is.
  return isTable
    ? `(SELECT i.indexrelid::TEXT FROM pg_catalog.pg_index i WHERE i.indrelid = ${oid} AND i.indisprimary)`
    : undefined;
}

/** A partitioned table keeps its rows in its partitions. */
function partitionsOf(oid: string): string {
  return "(SELECT string_agg(pg_relation_filenode(p.relid)::TEXT, ' ' ORDER BY p.relid) " +
    `FROM pg_catalog.pg_partition_tree(${oid}) p WHERE p.isleaf)`;
}

/** Whether the storage is another one than was noted. */
export function storagePredicate(
  effect: Stored,
  catalog: Catalog,
): string | undefined {
  const { before } = effect;
  const storage = storageOf(effect, catalog);
  if (storage === undefined || before === null) return undefined;
  return before === undefined
    ? "false"
    : `${storage} IS DISTINCT FROM ${quoteLiteral(before)}`;
}
