/**
 * What the catalog is asked about tables: pure functions that write the queries and read the answers.
 * They mean the same on PostgreSQL and CockroachDB.
 *
 * @module
 */

import type { TextRow } from "../driver/driver.ts";
import { quoteIdentifier, quoteLiteral, quoteName, splitName } from "../sql.ts";
import type { Row, Statement } from "./crud.ts";

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

/** Writes the query for the columns of a table's primary key. */
export function primaryKeyStatement(table: string): Statement {
  return {
    text:
      "SELECT a.attname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a " +
      "ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey) " +
      `WHERE i.indrelid = ${
        regclass(table)
      } AND i.indisprimary ORDER BY a.attnum`,
    args: [],
  };
}

/**
 * Reads the answer to {@linkcode primaryKeyStatement}.
 *
 * @returns The columns that can conflict with a row; none where there is no primary key.
 */
export function primaryKey(rows: readonly TextRow[], row: Row): string[] {
  const names = rows.map(([name]) => name!);
  // CockroachDB gives a table without a primary key this one, hidden, which can't be meant here.
  const isHidden = names.join() === "rowid" && !Object.hasOwn(row, "rowid");
  return isHidden ? [] : names;
}

/**
 * Writes the query for a table's columns: name, the schema and name of the type (of an array's
 * elements), and whether it is an array. `format_type` is no help: CockroachDB leaves out schema and
 * quotes.
 */
export function columnTypesStatement(table: string): Statement {
  return {
    text:
      "SELECT a.attname, n.nspname, e.typname, t.typcategory = 'A' FROM pg_catalog.pg_attribute a " +
      "JOIN pg_catalog.pg_type t ON t.oid = a.atttypid " +
      "JOIN pg_catalog.pg_type e ON e.oid = CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN t.typelem ELSE t.oid END " +
      "JOIN pg_catalog.pg_namespace n ON n.oid = e.typnamespace " +
      `WHERE a.attrelid = ${
        regclass(table)
      } AND a.attnum > 0 AND NOT a.attisdropped`,
    args: [],
  };
}

/**
 * Reads the answer to {@linkcode columnTypesStatement}.
 *
 * The types have no lengths, and their names are quoted (`bit` is `bit(1)`, `"bit"` is not): a cast
 * to a length would cut what is too long in silence, where an INSERT refuses it.
 *
 * @returns The columns' names, and their types as SQL.
 */
export function columnTypes(rows: readonly TextRow[]): Map<string, string> {
  return new Map(rows.map(([column, schema, name, isArray]) => {
    const type = schema === "pg_catalog"
      ? quoteIdentifier(name!)
      : `${quoteIdentifier(schema!)}.${quoteIdentifier(name!)}`;
    return [column!, isArray === "t" ? `${type}[]` : type];
  }));
}

function regclass(table: string): string {
  return `${quoteLiteral(quoteName(table))}::REGCLASS`;
}
