/**
 * Asks the catalog for the columns of a table, and for its partitions. On CockroachDB a column that a
 * job is still making is not in the catalog.
 *
 * @module
 */

import { quoteLiteral } from "../sql.ts";
import { type Catalog, exists, oidOf } from "./catalog.ts";
import { catalogType, isOfDefaultSize } from "./column_type.ts";
import type { Effect } from "./effect.ts";
import { type ObjectName, Reader } from "./reader.ts";

type Of<T extends Effect["type"]> = Extract<Effect, { type: T }>;

/** Makes a query for a column as row `a` of pg_attribute. */
export function findColumn(
  table: ObjectName,
  column: string,
  catalog: Catalog,
): string | undefined {
  const oid = oidOf("relation", table, catalog);
  return oid &&
    `SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = ${oid} ` +
      `AND a.attname = ${quoteLiteral(column)} AND NOT a.attisdropped`;
}

/** Whether a column is there, or no longer. */
export function columnPredicate(
  { table, column, present }: Of<"column">,
  catalog: Catalog,
): string | undefined {
  return exists(findColumn(table, column, catalog), present);
}

/** Whether a column has a type. */
export function typePredicate(
  effect: Of<"column-type">,
  catalog: Catalog,
): string | undefined {
  const { table, column, dataType } = effect;
  const type = catalogType(dataType, catalog.kind);
  const oid = oidOf("relation", table, catalog);
  if (oid === undefined) return undefined;
  if (type === undefined) return namedTypePredicate(effect, catalog);
  if (catalog.kind === "postgresql") {
    return exists(
      `${findColumn(table, column, catalog)} ` +
        `AND format_type(a.atttypid, a.atttypmod) = ${quoteLiteral(type)}`,
    );
  }
  const name = isOfDefaultSize(dataType)
    ? `replace(${
      quoteLiteral(type)
    }, 'INT8', 'INT' || current_setting('default_int_size'))`
    : quoteLiteral(type);
  // format_type() leaves out the precision of times here.
  return exists(
    "SELECT 1 FROM pg_catalog.pg_class o JOIN pg_catalog.pg_namespace n ON n.oid = o.relnamespace " +
      "JOIN information_schema.columns a ON a.table_schema = n.nspname AND a.table_name = o.relname " +
      `WHERE o.oid = ${oid} AND a.column_name = ${quoteLiteral(column)} ` +
      `AND a.crdb_sql_type = ${name}`,
  );
}

/** A name as `to_regtype()` reads it, which fails for what isn't one. */
const TYPE_NAME =
  /^(?:[\p{L}_][\p{L}\w$]*|"(?:[^"]|"")+")(?:\.(?:[\p{L}_][\p{L}\w$]*|"(?:[^"]|"")+"))?(?:\[\])*$/u;

/** Whether a column has a type that isn't one of the well-known; NULL where there is no such type. */
function namedTypePredicate(
  { table, column, dataType }: Of<"column-type">,
  catalog: Catalog,
): string | undefined {
  const found = findColumn(table, column, catalog);
  const type = typeOid(dataType, catalog);
  return found && type &&
    `CASE WHEN ${type} IS NOT NULL THEN ${
      exists(`${found} AND a.atttypid = ${type}`)
    } END`;
}

/** An expression for the OID of a type by its name; NULL where there is none. */
function typeOid(dataType: string, catalog: Catalog): string | undefined {
  if (catalog.kind === "postgresql") {
    return TYPE_NAME.test(dataType)
      ? `to_regtype(${quoteLiteral(dataType)})`
      : undefined;
  }
  // to_regtype() knows no enums here.
  const reader = new Reader(dataType, catalog.kind);
  const name = reader.name();
  return name && reader.done ? oidOf("type", name, catalog) : undefined;
}

/** Whether a column has no default. That it has a certain one can't be told. */
export function defaultPredicate(
  { table, column, set }: Of<"column-default">,
  catalog: Catalog,
): string | undefined {
  const found = findColumn(table, column, catalog);
  return set || found === undefined
    ? undefined
    : exists(`${found} AND NOT a.atthasdef`);
}

/** Whether a column takes NULL. */
export function notNullPredicate(
  { table, column, value }: Of<"column-not-null">,
  catalog: Catalog,
): string | undefined {
  const found = findColumn(table, column, catalog);
  return found && exists(`${found} AND ${value ? "" : "NOT "}a.attnotnull`);
}

/** Whether the server numbers a column by itself. */
export function identityPredicate(
  { table, column, present }: Of<"column-identity">,
  catalog: Catalog,
): string | undefined {
  const found = findColumn(table, column, catalog);
  return found &&
    exists(`${found} AND a.attidentity ${present ? "<>" : "="} ''`);
}

/** Whether a column isn't generated from others. */
export function plainPredicate(
  { table, column }: Of<"column-plain">,
  catalog: Catalog,
): string | undefined {
  const found = findColumn(table, column, catalog);
  return found && exists(`${found} AND a.attgenerated = ''`);
}

/** Whether a table is a partition of another one, or inherits from it. */
export function childPredicate(
  { table, child, present }: Of<"child">,
  catalog: Catalog,
): string | undefined {
  const [parent, own] = [table, child].map((name) =>
    oidOf("relation", name, catalog)
  );
  if (catalog.kind === "cockroachdb" || !parent || !own) return undefined;
  return exists(
    `SELECT 1 FROM pg_catalog.pg_inherits h WHERE h.inhparent = ${parent} AND h.inhrelid = ${own}`,
    present,
  );
}
