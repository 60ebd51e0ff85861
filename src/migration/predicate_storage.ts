/**
 * What rows and values are kept in, as the catalog has it: a statement that gives them other storage is
 * told by that.
 *
 * @module
 */

import { quoteLiteral } from "../sql.ts";
import { type Catalog, oidOf } from "./catalog.ts";
import type { Effect } from "./effect.ts";
import type { ObjectName } from "./reader.ts";

type Of<T extends Effect["type"]> = Extract<Effect, { type: T }>;

/** Makes an expression for what a table's rows are kept in; TRUNCATE gives it another one. */
export function storageOf(
  oid: string | undefined,
  { kind }: Catalog,
): string | undefined {
  return oid &&
    (kind === "postgresql"
      ? `COALESCE(pg_relation_filenode(${oid})::TEXT, ${partitionsOf(oid)})`
      : `(SELECT i.indexrelid::TEXT FROM pg_catalog.pg_index i WHERE i.indrelid = ${oid} AND i.indisprimary)`);
}

/** A partitioned table keeps its rows in its partitions. */
function partitionsOf(oid: string): string {
  return "(SELECT string_agg(pg_relation_filenode(p.relid)::TEXT, ' ' ORDER BY p.relid) " +
    `FROM pg_catalog.pg_partition_tree(${oid}) p WHERE p.isleaf)`;
}

/** Whether a table has been truncated since its storage was noted. */
export function truncationPredicate(
  { table, before }: Of<"truncation">,
  catalog: Catalog,
): string | undefined {
  const storage = storageOf(oidOf("relation", table, catalog), catalog);
  return storage && isOther(storage, before);
}

/** Makes an expression for what a sequence's value is kept in, where RESTART gives it another one. */
export function valueStorageOf(
  sequence: ObjectName,
  catalog: Catalog,
): string | undefined {
  return catalog.kind === "postgresql"
    ? storageOf(oidOf("sequence", sequence, catalog), catalog)
    : undefined;
}

/** Whether a sequence has been started again since its storage was noted. */
export function restartPredicate(
  { sequence, before }: Of<"restart">,
  catalog: Catalog,
): string | undefined {
  const storage = valueStorageOf(sequence, catalog);
  return storage && isOther(storage, before);
}

function isOther(
  storage: string,
  before: string | null | undefined,
): string | undefined {
  if (before === null) return undefined;
  return before === undefined
    ? "false"
    : `${storage} IS DISTINCT FROM ${quoteLiteral(before)}`;
}
