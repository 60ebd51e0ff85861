/**
 * SQL that finds an object by its name in the catalog, for CockroachDB and PostgreSQL. It never
 * fails, whatever is there: names are compared as text, and nothing is cast to `regclass`.
 *
 * @module
 */

import { quoteLiteral } from "../sql.ts";
import type { Effect, NamedObject } from "./effect.ts";
import type { ObjectName } from "./reader.ts";
import type { ServerKind } from "./server.ts";

/** The catalog that is asked. */
export interface Catalog {
  /** What the server is. */
  readonly kind: ServerKind;
  /** The database that names say, which the session's has to be. */
  readonly database?: string;
  /** What names of two parts begin with: a schema, or on CockroachDB a database. */
  readonly owners?: readonly string[];
}

/** The names of objects in an effect. */
function namesIn(effect: Effect): readonly (ObjectName | undefined)[] {
  return [
    ..."table" in effect ? [effect.table] : [],
    ..."child" in effect ? [effect.child] : [],
    ..."sequence" in effect ? [effect.sequence] : [],
    ..."typeName" in effect ? [effect.typeName] : [],
    ..."domain" in effect ? [effect.domain] : [],
    ..."from" in effect ? [effect.of, effect.from, effect.to] : [],
    ..."objects" in effect ? effect.objects : [],
    ..."name" in effect && typeof effect.name !== "string" ? [effect.name] : [],
  ];
}

/** The catalog that tells of an effect; `undefined` where its names say several databases. */
export function catalogOf(
  effect: Effect,
  kind: ServerKind,
): Catalog | undefined {
  const isSchema = effect.type === "schema" ||
    ("object" in effect && effect.object === "schema") ||
    ("on" in effect && effect.on === "schema");
  const names = namesIn(effect);
  const said = names.flatMap((name) => name?.at(isSchema ? -2 : -3) ?? []);
  const owners = isSchema || kind === "postgresql"
    ? []
    : names.flatMap((name) => name?.length === 2 ? [name[0]] : []);
  const [database, ...others] = new Set(said);
  return others.length > 0
    ? undefined
    : { kind, database, owners: [...new Set(owners)] };
}

/** Makes an expression NULL where names say another database than the session's. */
export function inDatabase(
  expression: string,
  { database, owners = [] }: Catalog,
): string {
  const isCurrent = (name: string) =>
    `current_database() = ${quoteLiteral(name)}`;
  const conditions = [
    ...database === undefined ? [] : [isCurrent(database)],
    ...owners.map((name) =>
      `(${isCurrent(name)} OR EXISTS (SELECT 1 FROM pg_catalog.pg_namespace ` +
      `WHERE nspname = ${quoteLiteral(name)}))`
    ),
  ];
  return conditions.length === 0
    ? expression
    : `CASE WHEN ${conditions.join(" AND ")} THEN ${expression} END`;
}

/**
 * Where an object without a schema is looked for: in all schemas of the search path, or only in the
 * one where CREATE puts it.
 */
export type Search = "path" | "creation";

/** What can be found: a `relation` is a table, view or sequence. */
export type CatalogObject =
  | NamedObject
  | "relation"
  | "relation-or-index"
  | "view"
  | "materialized-view"
  | "any-view"
  | "index";

/** Which rows of pg_class an object can be. */
const RELATION_KINDS: Readonly<Partial<Record<CatalogObject, string>>> = {
  "table": "IN ('r', 'p', 'f')",
  "view": "= 'v'",
  "materialized-view": "= 'm'",
  "any-view": "IN ('v', 'm')",
  "sequence": "= 'S'",
  "index": "IN ('i', 'I')",
  "relation": "NOT IN ('i', 'I')",
  "relation-or-index": "<> 't'",
};

/** Objects without a schema: their table and its column for the name. */
const GLOBAL: Readonly<Partial<Record<CatalogObject, [string, string]>>> = {
  "database": ["pg_database", "datname"],
  "role": ["pg_roles", "rolname"],
  "extension": ["pg_extension", "extname"],
};

/** What ALTER TABLE renames: views and sequences too, and on PostgreSQL indexes. */
export function renamedByTable(kind: ServerKind): CatalogObject {
  return kind === "postgresql" ? "relation-or-index" : "relation";
}

/** Whether the schema `n` is the one that a name means; `undefined` where it is out of reach. */
export function inSchema(
  name: ObjectName,
  search: Search,
  { kind, database }: Catalog,
): string | undefined {
  if (name.length > 2 && name.at(-3) !== database) return undefined;
  const schema = name.at(-2);
  if (schema === undefined) {
    return search === "creation"
      ? "n.nspname = current_schema()"
      : "n.nspname = ANY(current_schemas(false))";
  }
  const literal = quoteLiteral(schema);
  if (kind === "postgresql" || name.length > 2) return `n.nspname = ${literal}`;
  // CockroachDB takes `database.table` for `database.public.table` where there is no such schema.
  return `n.nspname = CASE WHEN current_database() = ${literal} AND NOT EXISTS ` +
    `(SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = ${literal}) ` +
    `THEN 'public' ELSE ${literal} END`;
}

/**
 * Makes a query for the OIDs of the objects of a name.
 *
 * @returns The query; `undefined` where the catalog doesn't know such objects.
 */
export function find(
  object: CatalogObject,
  name: ObjectName,
  search: Search,
  catalog: Catalog,
): string | undefined {
  const literal = quoteLiteral(name[name.length - 1]);
  if (object === "schema") {
    if (name.length > 1 && name.at(-2) !== catalog.database) return undefined;
    return `SELECT o.oid FROM pg_catalog.pg_namespace o WHERE o.nspname = ${literal}`;
  }
  const global = GLOBAL[object];
  if (global !== undefined) {
    if (object === "extension" && catalog.kind === "cockroachdb") {
      return undefined;
    }
    const [table, column] = global;
    return `SELECT o.oid FROM pg_catalog.${table} o WHERE o.${column} = ${literal}`;
  }
  const schema = inSchema(name, search, catalog);
  if (schema === undefined) return undefined;
  const [table, column, namespace] = object === "type"
    ? ["pg_type", "typname", "typnamespace"]
    : ["pg_class", "relname", "relnamespace"];
  const kinds = object === "type"
    ? ""
    : ` AND o.relkind ${RELATION_KINDS[object]}`;
  return `SELECT o.oid FROM pg_catalog.${table} o ` +
    `JOIN pg_catalog.pg_namespace n ON n.oid = o.${namespace} ` +
    `WHERE o.${column} = ${literal}${kinds} AND ${schema}`;
}

/** Makes an expression for the OID of the object that a name means: the first in the search path. */
export function oidOf(
  object: CatalogObject,
  name: ObjectName,
  catalog: Catalog,
): string | undefined {
  const query = find(object, name, "path", catalog);
  if (query === undefined) return undefined;
  const isGlobal = object === "schema" || GLOBAL[object] !== undefined;
  // CockroachDB's indexes have their names from their tables, so that a schema may have two.
  const isOne = isGlobal || (name.length > 1 && object !== "index");
  return isOne
    ? `(${query})`
    : `(${query} ORDER BY array_position(current_schemas(false), n.nspname) LIMIT 1)`;
}

/** Makes an expression for the schema of the object that a name means: the first in the search path. */
export function schemaOf(
  object: CatalogObject,
  name: ObjectName,
  catalog: Catalog,
): string | undefined {
  const query = find(object, name, "path", catalog);
  return query &&
    `(${query.replace("SELECT o.oid", "SELECT n.nspname::TEXT")} ` +
      "ORDER BY array_position(current_schemas(false), n.nspname) LIMIT 1)";
}

/**
 * Reads an expression over the catalog apart from the statement that it is part of: an UPDATE of
 * CockroachDB v22.1 tries to lock the catalog's rows too, and fails.
 */
export function apart(expression: string, kind: ServerKind): string {
  return kind === "postgresql"
    ? expression
    : `(WITH c AS MATERIALIZED (SELECT ${expression} AS value) SELECT value FROM c)`;
}

/** Says that a query finds something, or nothing. */
export function exists(
  query: string | undefined,
  present = true,
): string | undefined {
  if (query === undefined) return undefined;
  return present ? `EXISTS (${query})` : `NOT EXISTS (${query})`;
}

/** Joins expressions by AND; `undefined` where one is. */
export function all(
  expressions: readonly (string | undefined)[],
): string | undefined {
  const known = expressions.filter((expression) => expression !== undefined);
  return known.length > 0 && known.length === expressions.length
    ? known.join(" AND ")
    : undefined;
}

/** Writes strings as a list of SQL literals. */
export function literals(texts: readonly string[]): string {
  return texts.map(quoteLiteral).join(", ");
}
