/**
 * What the catalog is asked about tables: pure functions that write the queries and read the answers.
 * They mean the same on PostgreSQL and CockroachDB.
 *
 * @module
 */

import type { TextRow } from "../driver/driver.ts";
import { quoteIdentifier, quoteLiteral, quoteName, splitName } from "../sql.ts";
import type { Statement } from "./crud.ts";
import { FIRST_USER_OID } from "./type_oids.ts";

/** Writes the query for a table or view, in its schema or, without one, on the search path. */
export function existsStatement(table: string): Statement {
  const [name, schema, database] = splitName(table).reverse();
  const catalog = database === undefined
    ? "pg_catalog"
    : `${quoteIdentifier(database)}.pg_catalog`;
  return {
    text:
      `SELECT 1 FROM ${catalog}.pg_class c JOIN ${catalog}.pg_namespace n ON n.oid = c.relnamespace ` +
      "WHERE c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND " +
      (schema === undefined
        ? "n.nspname = ANY(current_schemas(true))"
        : "n.nspname = $2") +
      " LIMIT 1",
    args: schema === undefined ? [name] : [name, schema],
  };
}

/**
 * Writes the query for the columns of a table's primary key. CockroachDB's hash-sharded keys have a
 * virtual column beside them, which no row conflicts by; its hidden `rowid` isn't a constraint.
 */
export function primaryKeyStatement(table: string): Statement {
  return {
    text:
      "SELECT a.attname FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_attribute a " +
      "ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey) " +
      `WHERE c.conrelid = ${regclass(table)} AND c.contype = 'p' ` +
      "AND a.attgenerated <> 'v' ORDER BY a.attnum",
    args: [],
  };
}

/**
 * Writes the query for a table's columns: name, the type's OID, and the type without a length: a cast
 * to a length would cut what is too long in silence, where an INSERT refuses it.
 */
export function columnTypesStatement(table: string): Statement {
  return {
    text:
      "SELECT attname, atttypid, pg_catalog.format_type(atttypid, -1) FROM pg_catalog.pg_attribute " +
      `WHERE attrelid = ${regclass(table)} AND attnum > 0 AND NOT attisdropped`,
    args: [],
  };
}

/**
 * Gives the OIDs of types that aren't built in. Their names have to be asked for: CockroachDB's
 * `format_type` leaves out schema and quotes.
 *
 * @param rows The answer to {@linkcode columnTypesStatement}.
 */
export function userTypes(rows: readonly TextRow[]): string[] {
  const oids = rows.map(([, oid]) => oid!);
  return [...new Set(oids.filter((oid) => Number(oid) >= FIRST_USER_OID))];
}

/**
 * Writes the query for a type: its schema, its name, and an array's element type. It asks for one
 * type, because CockroachDB looks up one at once, and reads all of them for two.
 */
export function typeStatement(oid: string): Statement {
  return {
    text:
      "SELECT n.nspname, t.typname, CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN t.typelem END " +
      "FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace " +
      `WHERE t.oid = ${Number(oid)}`,
    args: [],
  };
}

/**
 * Writes the query for what an array holds: the type, whether it is an array whose text can be read,
 * the type of its elements, and where that is a domain, the type that it is made of in the end. It asks
 * for one type, as {@linkcode typeStatement} does; on CockroachDB, which has no domains, the recursion
 * must not even begin, or it would read all of them.
 *
 * @param oid The type; absent for all that aren't built in.
 */
export function arrayElementStatement(oid?: number): Statement {
  const which = oid === undefined
    ? `t.oid >= ${FIRST_USER_OID}`
    : `t.oid = ${oid}`;
  return {
    text: "WITH RECURSIVE made_of (origin, oid, next) AS (" +
      "SELECT t.oid, e.typbasetype, e.typbasetype FROM pg_catalog.pg_type t " +
      "JOIN pg_catalog.pg_type e ON e.oid = t.typelem " +
      `WHERE ${which} AND e.typbasetype <> 0 UNION ALL ` +
      "SELECT m.origin, b.oid, b.typbasetype FROM made_of m JOIN pg_catalog.pg_type b ON b.oid = m.next) " +
      "SELECT t.oid, t.typcategory = 'A' AND t.typdelim = ',', t.typelem, m.oid " +
      "FROM pg_catalog.pg_type t LEFT JOIN made_of m ON m.origin = t.oid AND m.next = 0 " +
      `WHERE ${which}`,
    args: [],
  };
}

/**
 * Reads a row of the answer to {@linkcode arrayElementStatement}.
 *
 * @returns The OID of the elements' type; `undefined` where the type is no array.
 */
export function arrayElement(row: TextRow): number | undefined {
  const [, isArray, element, domain] = row;
  if (isArray !== "t" || element === "0") return undefined;
  return Number(domain) || Number(element);
}

/** Writes the name of a type. */
export function typeName(schema: string, name: string): string {
  return schema === "pg_catalog"
    ? quoteIdentifier(name)
    : `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/**
 * Reads the answer to {@linkcode columnTypesStatement}.
 *
 * @param rows The answer.
 * @param names The names of the types that aren't built in, by OID.
 * @returns The columns' names, and their types as SQL.
 */
export function columnTypes(
  rows: readonly TextRow[],
  names: ReadonlyMap<string, string> = new Map(),
): Map<string, string> {
  return new Map(rows.map(([column, oid, type]) => [
    column!,
    // Without quotes, as CockroachDB writes it, bit is bit(1).
    names.get(oid!) ?? type!.replace(/^bit(?=$|\[)/, '"bit"'),
  ]));
}

function regclass(table: string): string {
  return `${quoteLiteral(quoteName(table))}::REGCLASS`;
}
