/**
 * Asks the catalog for the parts of a table: columns, indexes and constraints.
 *
 * On CockroachDB a part that a job is still making is not in the catalog, or not as valid. The one
 * exception is a unique constraint, which is known before its index: so its index is asked for too.
 *
 * @module
 */

import { quoteLiteral } from "../sql.ts";
import {
  all,
  type Catalog,
  exists,
  find,
  oidOf,
  type Search,
} from "./catalog.ts";
import { catalogType } from "./column_type.ts";
import type { ConstraintType, Effect } from "./effect.ts";
import type { ObjectName } from "./reader.ts";

type Of<T extends Effect["type"]> = Extract<Effect, { type: T }>;

const CONSTRAINT_LETTERS: Readonly<Record<ConstraintType, string>> = {
  "primary-key": "p",
  "unique": "u",
  "check": "c",
  "foreign-key": "f",
  "exclude": "x",
};

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

/** Makes a query for a constraint by its name, as row `k` of pg_constraint. */
export function findConstraint(
  table: ObjectName,
  name: string,
  catalog: Catalog,
): string | undefined {
  const oid = oidOf("relation", table, catalog);
  return oid &&
    `SELECT k.oid FROM pg_catalog.pg_constraint k WHERE k.conrelid = ${oid} ` +
      `AND k.conname = ${quoteLiteral(name)}`;
}

/** Makes a query for an index by its name, valid or not. */
export function findIndex(
  table: ObjectName | undefined,
  name: ObjectName,
  search: Search,
  catalog: Catalog,
): string | undefined {
  if (table === undefined) return find("index", name, search, catalog);
  const oid = oidOf("relation", table, catalog);
  return oid &&
    "SELECT o.oid FROM pg_catalog.pg_class o JOIN pg_catalog.pg_index i ON i.indexrelid = o.oid " +
      `WHERE i.indrelid = ${oid} AND o.relname = ${
        quoteLiteral(name[name.length - 1])
      }`;
}

/** Says that an array holds the numbers of columns, in order; `first` is the index of its first. */
function areColumns(
  array: string,
  first: number,
  table: string,
  columns: readonly string[],
): string {
  return columns.map((column, i) =>
    `${array}[${
      first + i
    }] = (SELECT a.attnum FROM pg_catalog.pg_attribute a ` +
    `WHERE a.attrelid = ${table} AND a.attname = ${quoteLiteral(column)})`
  ).join(" AND ");
}

function hasKey(table: string, columns: readonly string[]): string {
  return `i.indnkeyatts = ${columns.length} AND ` +
    areColumns("i.indkey", 0, table, columns);
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
  { table, column, dataType }: Of<"column-type">,
  catalog: Catalog,
): string | undefined {
  const type = catalogType(dataType, catalog.kind);
  const oid = oidOf("relation", table, catalog);
  if (type === undefined || oid === undefined) return undefined;
  if (catalog.kind === "postgresql") {
    return exists(
      `${findColumn(table, column, catalog)} ` +
        `AND format_type(a.atttypid, a.atttypmod) = ${quoteLiteral(type)}`,
    );
  }
  // format_type() leaves out the precision of times here.
  return exists(
    "SELECT 1 FROM pg_catalog.pg_class o JOIN pg_catalog.pg_namespace n ON n.oid = o.relnamespace " +
      "JOIN information_schema.columns a ON a.table_schema = n.nspname AND a.table_name = o.relname " +
      `WHERE o.oid = ${oid} AND a.column_name = ${quoteLiteral(column)} ` +
      `AND a.crdb_sql_type = ${quoteLiteral(type)}`,
  );
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

/** Whether an index is there and valid, or no longer there. */
export function indexPredicate(
  effect: Of<"index">,
  catalog: Catalog,
): string | undefined {
  const { table, name, present, columns, unique = false } = effect;
  if (name !== undefined) {
    const found = findIndex(table, name, "path", catalog);
    if (!present) return exists(found, false);
    return found &&
      exists(table === undefined ? found : `${found} AND i.indisvalid`);
  }
  const oid = table && oidOf("relation", table, catalog);
  if (oid === undefined) return undefined;
  if (columns === undefined) return isMore(effect, catalog);
  return exists(
    `SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = ${oid} AND i.indisvalid ` +
      `AND NOT i.indisprimary AND ${unique ? "" : "NOT "}i.indisunique AND ${
        hasKey(oid, columns)
      }`,
  );
}

/**
 * Whether a constraint is there, and valid where that counts, or no longer there. Of all the
 * statement's effects, a new primary key counts too.
 */
export function constraintPredicate(
  effect: Of<"constraint">,
  effects: readonly Effect[],
  catalog: Catalog,
): string | undefined {
  const { table, name, present, constraintType, columns, validated } = effect;
  if (!present) {
    const found = name && findConstraint(table, name, catalog);
    // A new primary key may take the name of the one that is dropped.
    const isReplaced = effects.some(({ type }) => type === "primary-key");
    const apart = isReplaced ? " AND k.contype <> 'p'" : "";
    return exists(found && found + apart, false);
  }
  const oid = oidOf("relation", table, catalog);
  if (oid === undefined) return undefined;
  if ((name ?? columns) === undefined) return isMore(effect, catalog);
  const tests = [
    name !== undefined
      ? `k.conname = ${quoteLiteral(name)}`
      : `array_length(k.conkey, 1) = ${columns!.length} AND ` +
        areColumns("k.conkey", 1, oid, columns!),
  ];
  if (constraintType !== undefined) {
    tests.push(`k.contype = '${CONSTRAINT_LETTERS[constraintType]}'`);
  }
  if (validated) tests.push("k.convalidated");
  if (constraintType === "unique") {
    tests.push(
      "EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indexrelid = k.conindid AND i.indisvalid)",
    );
  }
  return exists(
    `SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conrelid = ${oid} AND ${
      all(tests)
    }`,
  );
}

/** Whether the primary key is of certain columns. */
export function primaryKeyPredicate(
  { table, columns }: Of<"primary-key">,
  catalog: Catalog,
): string | undefined {
  const oid = oidOf("relation", table, catalog);
  return oid && exists(
    `SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = ${oid} ` +
      `AND i.indisprimary AND ${hasKey(oid, columns)}`,
  );
}

/**
 * Counts the parts of a table among which one without a name, and without columns to know it by, will
 * be: checks, and indexes on expressions.
 *
 * @returns The number as text; `undefined` for an effect that can be told by itself.
 */
export function countParts(
  effect: Effect,
  catalog: Catalog,
): string | undefined {
  if (effect.type !== "constraint" && effect.type !== "index") return undefined;
  const { table, name, columns, present } = effect;
  if (!present || name !== undefined || columns !== undefined) return undefined;
  const oid = table && oidOf("relation", table, catalog);
  if (oid === undefined) return undefined;
  if (effect.type === "index") {
    return `(SELECT count(*)::TEXT FROM pg_catalog.pg_index i WHERE i.indrelid = ${oid} AND i.indisvalid)`;
  }
  return effect.constraintType === "check"
    ? `(SELECT count(*)::TEXT FROM pg_catalog.pg_constraint k WHERE k.conrelid = ${oid} AND k.contype = 'c')`
    : undefined;
}

/** Whether there are more of such parts than before. */
function isMore(
  effect: Of<"constraint"> | Of<"index">,
  catalog: Catalog,
): string | undefined {
  const count = countParts(effect, catalog);
  if (count === undefined) return undefined;
  const { before } = effect;
  return before === undefined
    ? "false"
    : `${count}::INT8 > ${quoteLiteral(before)}::INT8`;
}
