/**
 * The names of column types: as statements write them, and as the catalog has them, which is
 * `crdb_sql_type` of CockroachDB's `information_schema.columns` and `format_type()` of PostgreSQL.
 *
 * @module
 */

import type { ServerKind } from "./server.ts";

/** The catalog's name on CockroachDB and PostgreSQL; `#` stands for length, precision and scale. */
type CatalogNames = readonly [string | undefined, string | undefined];

const TYPES: Readonly<Record<string, CatalogNames>> = {
  bool: ["BOOL", "boolean"],
  int2: ["INT2", "smallint"],
  int4: ["INT4", "integer"],
  int8: ["INT8", "bigint"],
  int: ["INT8", "integer"],
  int64: ["INT8", undefined],
  float4: ["FLOAT4", "real"],
  float8: ["FLOAT8", "double precision"],
  decimal: ["DECIMAL#", "numeric#"],
  string: ["STRING#", undefined],
  text: ["STRING", "text"],
  varchar: ["VARCHAR#", "character varying#"],
  char: ["CHAR#", "character#"],
  bytes: ["BYTES", undefined],
  bytea: ["BYTES", "bytea"],
  date: ["DATE", "date"],
  time: ["TIME#", "time# without time zone"],
  timetz: ["TIMETZ#", "time# with time zone"],
  timestamp: ["TIMESTAMP#", "timestamp# without time zone"],
  timestamptz: ["TIMESTAMPTZ#", "timestamp# with time zone"],
  interval: ["INTERVAL#", "interval#"],
  uuid: ["UUID", "uuid"],
  json: ["JSONB", "json"],
  jsonb: ["JSONB", "jsonb"],
  inet: ["INET", "inet"],
  cidr: [undefined, "cidr"],
  bit: ["BIT#", "bit#"],
  varbit: ["VARBIT#", "bit varying#"],
  xml: [undefined, "xml"],
  money: [undefined, "money"],
};

const ALIASES: Readonly<Record<string, string>> = {
  "boolean": "bool",
  "smallint": "int2",
  "integer": "int",
  "bigint": "int8",
  "real": "float4",
  "float": "float8",
  "double precision": "float8",
  "numeric": "decimal",
  "dec": "decimal",
  "character varying": "varchar",
  "char varying": "varchar",
  "character": "char",
  "blob": "bytes",
  "bit varying": "varbit",
  "time with time zone": "timetz",
  "time without time zone": "time",
  "timestamp with time zone": "timestamptz",
  "timestamp without time zone": "timestamp",
};

const WRITTEN =
  /^([a-z][a-z0-9 ]*?) ?(?:\( ?(\d+) ?(?:, ?(\d+) ?)?\))?( with(?:out)? time zone)? ?((?:\[\d*\] ?)+|array)?$/;

/** The part in parentheses as the server shows it. */
function modifiers(
  type: string,
  kind: ServerKind,
  [length, scale]: readonly (string | undefined)[],
): string {
  const isCockroach = kind === "cockroachdb";
  if (type === "decimal" && length !== undefined) {
    if (isCockroach && Number(scale ?? 0) === 0) return `(${length})`;
    return `(${length},${scale ?? 0})`;
  }
  if (type === "char" || type === "bit") {
    const known = length ?? "1";
    return isCockroach && known === "1" ? "" : `(${known})`;
  }
  return length === undefined ? "" : `(${length})`;
}

/** Says whether CockroachDB's `default_int_size` decides what a type is. */
export function isOfDefaultSize(written: string): boolean {
  return /^int(?:eger)?\b/i.test(written.trim());
}

/**
 * Says what the catalog calls a type.
 *
 * @example
 * ```ts
 * import { catalogType } from "./column_type.ts";
 *
 * catalogType("VARCHAR(20)", "postgresql"); // "character varying(20)"
 * catalogType("INT[]", "cockroachdb"); // "INT8[]"
 * ```
 *
 * @param written The type as a statement has it.
 * @param kind What the server is.
 * @returns The catalog's name; `undefined` where the type isn't one of the well-known.
 */
export function catalogType(
  written: string,
  kind: ServerKind,
): string | undefined {
  const text = written.toLowerCase().replaceAll(/\s+/g, " ").trim();
  const match = WRITTEN.exec(text);
  if (match === null) return undefined;
  const [, base, length, scale, zone = "", array] = match;
  const alias = base + zone;
  const type = Object.hasOwn(ALIASES, alias) ? ALIASES[alias] : alias;
  if (!Object.hasOwn(TYPES, type)) return undefined;
  const name = TYPES[type][kind === "cockroachdb" ? 0 : 1];
  if (name === undefined) return undefined;
  if (length !== undefined && !name.includes("#")) return undefined;
  return name.replace("#", modifiers(type, kind, [length, scale])) +
    (array === undefined ? "" : "[]");
}
