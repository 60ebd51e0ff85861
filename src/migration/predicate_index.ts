/**
 * Asks the catalog for the indexes and constraints of a table. Those without a name are told by their
 * columns, and where it has to be known before, by their number.
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

/** Whether an index is there and valid, or no longer there. */
export function indexPredicate(
  effect: Of<"index">,
  effects: readonly Effect[],
  catalog: Catalog,
): string | undefined {
  const { table, name, present, columns, unique = false, before } = effect;
  if (name !== undefined) {
    const found = findIndex(table, name, "path", catalog);
    if (!present) return exists(found, false);
    return found &&
      exists(table === undefined ? found : `${found} AND i.indisvalid`);
  }
  const oid = table && oidOf("relation", table, catalog);
  if (oid === undefined) return undefined;
  if (before !== undefined || columns === undefined) {
    return isMore(effect, effects, catalog);
  }
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
  const { table, name, present, columns, before } = effect;
  if (!present) {
    const found = name && findConstraint(table, name, catalog);
    // A new primary key may take the name of the one that is dropped.
    const isReplaced = effects.some(({ type }) => type === "primary-key");
    const apart = isReplaced ? " AND k.contype <> 'p'" : "";
    return exists(found && found + apart, false);
  }
  const isCounted = before !== undefined || columns === undefined;
  if (name === undefined && isCounted) {
    return isMore(effect, effects, catalog);
  }
  return exists(findConstraints(effect, catalog));
}

/** Makes a query for the constraints that can be the one of an effect. */
function findConstraints(
  { table, name, constraintType, columns, validated }: Of<"constraint">,
  catalog: Catalog,
): string | undefined {
  const oid = oidOf("relation", table, catalog);
  if (oid === undefined) return undefined;
  const tests = [`k.conrelid = ${oid}`];
  if (name !== undefined) tests.push(`k.conname = ${quoteLiteral(name)}`);
  else if (columns !== undefined) {
    tests.push(
      `array_length(k.conkey, 1) = ${columns.length}`,
      areColumns("k.conkey", 1, oid, columns),
    );
  }
  if (constraintType !== undefined) {
    tests.push(`k.contype = '${CONSTRAINT_LETTERS[constraintType]}'`);
  }
  if (validated && (name ?? columns) !== undefined) {
    tests.push("k.convalidated");
  }
  if (constraintType === "unique") {
    tests.push(
      "EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indexrelid = k.conindid AND i.indisvalid)",
    );
  }
  return `SELECT 1 FROM pg_catalog.pg_constraint k WHERE ${all(tests)}`;
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
 * Counts the parts of a table among which one without a name will be: indexes, or constraints of its
 * type and, where they are known, of its columns.
 *
 * @param effects All of the statement's: where one takes away a part, their number tells nothing.
 * @returns The number as text; `undefined` for an effect that isn't told by it.
 */
export function countParts(
  effect: Effect,
  effects: readonly Effect[],
  catalog: Catalog,
): string | undefined {
  if (effect.type !== "constraint" && effect.type !== "index") return undefined;
  if (!effect.present || effect.name !== undefined) return undefined;
  if (effects.some((one) => "present" in one && !one.present)) return undefined;
  const found = effect.type === "index"
    ? findIndexes(effect, catalog)
    : findConstraints(effect, catalog);
  return found && `(${found.replace("SELECT 1", "SELECT count(*)::TEXT")})`;
}

/** The columns of CockroachDB's indexes needn't be those that were written: some have further ones. */
function findIndexes(
  { table }: Of<"index">,
  catalog: Catalog,
): string | undefined {
  const oid = table && oidOf("relation", table, catalog);
  return oid &&
    `SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = ${oid} AND i.indisvalid`;
}

/** Whether there are more of such parts than before: one more for each that the statement adds. */
function isMore(
  effect: Of<"constraint"> | Of<"index">,
  effects: readonly Effect[],
  catalog: Catalog,
): string | undefined {
  const count = countParts(effect, effects, catalog);
  if (count === undefined) return undefined;
  const { before } = effect;
  if (before === undefined) return "false";
  const others = effects.slice(0, effects.indexOf(effect))
    .filter((other) => countParts(other, effects, catalog) === count);
  const least = String(Number(before) + others.length);
  return `${count}::INT8 > ${quoteLiteral(least)}::INT8`;
}
