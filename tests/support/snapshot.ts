/**
 * A snapshot of a database: what its catalog, its tables and its migrations' journal hold, as lines
 * of text. Two databases with the same history have the same snapshot, whatever detours one took.
 *
 * @module
 */

import type { Database } from "../../src/database/database.ts";
import type { ServerKind } from "../../src/migration/server.ts";

const USER_SCHEMA = "n.nspname !~ '^(pg_|crdb_internal|information_schema)'";
const NOT_OURS = "c.relname !~ '^_migrations'";

/** How the text of a default and of a constraint is had; CockroachDB asks itself once for each call. */
const TEXTS: Readonly<Record<ServerKind, Record<"value" | "check", string>>> = {
  postgresql: {
    value: "pg_get_expr(d.adbin, d.adrelid)",
    check: "pg_get_constraintdef(o.oid)",
  },
  cockroachdb: { value: "d.adbin", check: "o.condef" },
};

/** A query a part, with one column of text. */
const partsOf = ({ value, check }: typeof TEXTS["postgresql"]) => [
  `SELECT 'schema ' || n.nspname FROM pg_catalog.pg_namespace n WHERE ${USER_SCHEMA}`,
  `SELECT 'relation ' || n.nspname || '.' || c.relname || ' ' || c.relkind::TEXT
   FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE ${USER_SCHEMA} AND ${NOT_OURS} AND c.relkind::TEXT IN ('r', 'v', 'm', 'S', 'i')`,
  `SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) ||
     CASE WHEN a.attnotnull THEN ' not null' ELSE '' END ||
     COALESCE(' default ' || ${value}, '')
   FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
   JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   WHERE ${USER_SCHEMA} AND ${NOT_OURS} AND a.attnum > 0 AND NOT a.attisdropped
   AND c.relkind::TEXT IN ('r', 'v', 'm')`,
  `SELECT 'index ' || c.indexdef FROM pg_catalog.pg_indexes c
   JOIN pg_catalog.pg_namespace n ON n.nspname = c.schemaname
   WHERE ${USER_SCHEMA} AND c.tablename !~ '^_migrations'`,
  `SELECT 'constraint ' || c.relname || ' ' || o.conname || ' ' || ${check} ||
     CASE WHEN o.convalidated THEN '' ELSE ' unvalidated' END
   FROM pg_catalog.pg_constraint o JOIN pg_catalog.pg_class c ON c.oid = o.conrelid
   JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE ${USER_SCHEMA} AND ${NOT_OURS}`,
  `SELECT 'type ' || t.typname || ' ' || t.typtype::TEXT FROM pg_catalog.pg_type t
   JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
   WHERE ${USER_SCHEMA} AND t.typtype::TEXT IN ('e', 'd')`,
  `SELECT 'enum ' || t.typname || ' ' || e.enumlabel || ' ' ||
     row_number() OVER (PARTITION BY t.oid ORDER BY e.enumsortorder)::TEXT
   FROM pg_catalog.pg_enum e JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid`,
  `SELECT 'sequence ' || sequence_schema || '.' || sequence_name || ' ' || start_value || ' ' || increment
   FROM information_schema.sequences`,
  `SELECT 'view ' || c.viewname || ' ' || c.definition FROM pg_catalog.pg_views c
   JOIN pg_catalog.pg_namespace n ON n.nspname = c.schemaname WHERE ${USER_SCHEMA}`,
  `SELECT 'comment ' || c.relname || '.' || COALESCE(a.attname, '') || ' ' || d.description
   FROM pg_catalog.pg_description d JOIN pg_catalog.pg_class c ON c.oid = d.objoid
   JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND a.attnum > 0
   WHERE ${USER_SCHEMA}`,
  `SELECT 'grant ' || g.grantee || ' ' || g.table_schema || '.' || g.table_name || ' ' || g.privilege_type
   FROM information_schema.table_privileges g
   JOIN pg_catalog.pg_namespace n ON n.nspname = g.table_schema
   WHERE ${USER_SCHEMA} AND g.table_name !~ '^_migrations'`,
];

/** What only PostgreSQL has. */
const POSTGRESQL_PARTS: readonly string[] = [
  `SELECT 'schema grants ' || n.nspname || ' ' || COALESCE(n.nspacl::TEXT, '')
   FROM pg_catalog.pg_namespace n WHERE ${USER_SCHEMA}
   AND array_to_string(n.nspacl, '') ~ 'faults'`,
  `SELECT 'function ' || pg_get_functiondef(p.oid) FROM pg_catalog.pg_proc p
   JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE ${USER_SCHEMA}`,
  `SELECT 'trigger ' || pg_get_triggerdef(t.oid) FROM pg_catalog.pg_trigger t WHERE NOT t.tgisinternal`,
  `SELECT 'valid ' || c.relname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
   WHERE NOT i.indisvalid`,
];

const COCKROACHDB_PARTS: readonly string[] = [
  `SELECT 'schema grant ' || g.grantee || ' ' || g.table_schema || ' ' || g.privilege_type
   FROM information_schema.schema_privileges g
   JOIN pg_catalog.pg_namespace n ON n.nspname = g.table_schema WHERE ${USER_SCHEMA}`,
];

/** What a snapshot is taken of. */
export interface SnapshotOptions {
  /** What the server is. */
  readonly kind: ServerKind;
  /** The journal's tables begin with this name. Default: `"_migrations"`. */
  readonly table?: string;
}

/** Takes a snapshot: lines that are the same for the same schema, rows and history. */
export async function snapshot(
  db: Database,
  options: SnapshotOptions,
): Promise<string> {
  const { kind, table = "_migrations" } = options;
  const parts = [
    ...partsOf(TEXTS[kind]),
    ...(kind === "postgresql" ? POSTGRESQL_PARTS : COCKROACHDB_PARTS),
  ];
  const lines: string[] = [];
  if (kind === "postgresql") {
    lines.push(...await linesOf(db, parts.join("\nUNION ALL\n")));
  } else {
    const answers = await Promise.all(parts.map((part) => linesOf(db, part)));
    lines.push(...answers.flat());
  }
  const tables = lines.flatMap((line) =>
    /^relation (\S+)\.(.+) r$/.exec(line)?.slice(1, 3).join('"."') ?? []
  );
  const rows = tables.map((name) =>
    `SELECT 'row ${
      name.replaceAll('"', "")
    } ' || to_jsonb(t)::TEXT FROM "${name}" t`
  );
  lines.push(...await linesOf(db, rows.join("\nUNION ALL\n")));
  lines.push(
    ...await linesOf(
      db,
      `SELECT 'applied ' || version || ' ' || description || ' ' || checksum FROM ${table}`,
    ),
    ...await linesOf(
      db,
      `SELECT 'in flight ' || version FROM ${table}_journal WHERE version IS NOT NULL`,
    ),
  );
  return lines.sort().join("\n");
}

async function linesOf(db: Database, text: string): Promise<string[]> {
  if (text === "") return [];
  const rows = await db.query(text);
  return rows.map((row) => String(Object.values(row)[0]).replace(/\s+/g, " "));
}
