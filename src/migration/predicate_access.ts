/**
 * Asks the catalog for comments and privileges.
 *
 * @module
 */

import { quoteLiteral } from "../sql.ts";
import {
  all,
  type Catalog,
  type CatalogObject,
  exists,
  inSchema,
  literals,
  oidOf,
} from "./catalog.ts";
import type { Effect } from "./effect.ts";
import { findConstraint, findIndex } from "./predicate_index.ts";
import { findColumn } from "./predicate_table.ts";
import type { ObjectName } from "./reader.ts";

type Comment = Extract<Effect, { type: "comment" }>;
type Grant = Extract<Effect, { type: "grant" }>;

/** The functions that read the comment of an object `o`, by kind of object. */
const DESCRIPTIONS: Readonly<Partial<Record<Comment["object"], string>>> = {
  table: "obj_description(o.oid, 'pg_class')",
  view: "obj_description(o.oid, 'pg_class')",
  sequence: "obj_description(o.oid, 'pg_class')",
  index: "obj_description(o.oid, 'pg_class')",
  schema: "obj_description(o.oid, 'pg_namespace')",
  type: "obj_description(o.oid, 'pg_type')",
  extension: "obj_description(o.oid, 'pg_extension')",
  constraint: "obj_description(o.oid, 'pg_constraint')",
  database: "shobj_description(o.oid, 'pg_database')",
  role: "shobj_description(o.oid, 'pg_authid')",
};

/** Those of whose comments CockroachDB's catalog tells. */
const COCKROACH_COMMENTS = [
  "table",
  "column",
  "index",
  "constraint",
  "database",
];

function commented(
  { object, name, part }: Comment,
  catalog: Catalog,
): string | undefined {
  switch (object) {
    case "column":
      return undefined;
    case "constraint":
      return inBrackets(part && findConstraint(name, part, catalog));
    case "index":
      if (part === undefined) break;
      return inBrackets(findIndex(name, [part], "path", catalog));
    case "view":
      return oidOf("any-view", name, catalog);
  }
  return oidOf(object, name, catalog);
}

function inBrackets(query: string | undefined): string | undefined {
  return query && `(${query})`;
}

/** Whether an object has a comment; an empty one is none. */
export function commentPredicate(
  effect: Comment,
  catalog: Catalog,
): string | undefined {
  const { object, name, part, text } = effect;
  const isKnown = catalog.kind === "postgresql" ||
    COCKROACH_COMMENTS.includes(object);
  if (!isKnown) return undefined;
  const literal = quoteLiteral(text ?? "");
  if (object === "column") {
    const column = part && findColumn(name, part, catalog);
    return column && exists(
      `${column} AND COALESCE(col_description(a.attrelid, a.attnum), '') = ${literal}`,
    );
  }
  const found = commented(effect, catalog);
  return found && exists(
    `SELECT 1 FROM (SELECT ${found} AS oid) o WHERE o.oid IS NOT NULL ` +
      `AND COALESCE(${DESCRIPTIONS[object]}, '') = ${literal}`,
  );
}

/** The table, its privileges and its owner, by what they are on, in PostgreSQL. */
const ACCESS: Readonly<
  Partial<Record<Grant["on"], [CatalogObject, string, string, string, string]>>
> = {
  table: ["relation", "pg_class", "relacl", "relowner", "r"],
  sequence: ["sequence", "pg_class", "relacl", "relowner", "s"],
  schema: ["schema", "pg_namespace", "nspacl", "nspowner", "n"],
  database: ["database", "pg_database", "datacl", "datdba", "d"],
  type: ["type", "pg_type", "typacl", "typowner", "T"],
};

function accessInPostgres(
  { on, privileges, granted }: Grant,
  object: ObjectName,
  role: string,
  catalog: Catalog,
): string | undefined {
  const [kind, table, acl, owner, letter] = ACCESS[on]!;
  const oid = oidOf(kind, object, catalog);
  if (oid === undefined) return undefined;
  const defaults = `acldefault('${letter}', x.${owner})`;
  const grantee = role === "public"
    ? "0"
    : `(SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = ${
      quoteLiteral(role)
    })`;
  const wanted = privileges.includes("ALL")
    ? `(SELECT d.privilege_type FROM aclexplode(${defaults}) d WHERE d.grantee = x.${owner})`
    : `(SELECT unnest(ARRAY[${literals(privileges)}]) AS privilege_type)`;
  const held = `SELECT 1 FROM aclexplode(COALESCE(x.${acl}, ${defaults})) h ` +
    `WHERE h.grantee = ${grantee} AND h.privilege_type = w.privilege_type`;
  // All are held where none is missing; none is held where none is there.
  const contrary = `SELECT 1 FROM ${wanted} w WHERE ${exists(held, !granted)}`;
  return exists(
    `SELECT 1 FROM pg_catalog.${table} x WHERE x.oid = ${oid} AND NOT EXISTS (${contrary})`,
  );
}

/** The views of privileges by what they are on, in CockroachDB, and their columns for the name. */
const PRIVILEGE_VIEWS: Readonly<
  Partial<Record<Grant["on"], [string, string]>>
> = {
  table: ["table_privileges", "table_name"],
  sequence: ["table_privileges", "table_name"],
  schema: ["schema_privileges", "table_schema"],
};

function accessInCockroach(
  { on, privileges, granted }: Grant,
  object: ObjectName,
  role: string,
  catalog: Catalog,
): string | undefined {
  const view = PRIVILEGE_VIEWS[on];
  if (view === undefined) return undefined;
  const [table, column] = view;
  const isSchema = on === "schema";
  const schema = isSchema
    ? object.length === 1 || object.at(-2) === catalog.database
      ? "true"
      : undefined
    : inSchema(object, "path", catalog);
  if (schema === undefined) return undefined;
  const held = isSchema
    ? `SELECT 1 FROM information_schema.${table} p WHERE true`
    : `SELECT 1 FROM information_schema.${table} p JOIN pg_catalog.pg_namespace n ` +
      `ON n.nspname = p.table_schema WHERE ${schema}`;
  const of =
    `${held} AND p.${column} = ${quoteLiteral(object[object.length - 1])} ` +
    `AND p.grantee = ${quoteLiteral(role)}`;
  const isAll = privileges.includes("ALL");
  if (isAll && !granted) return exists(of, false);
  const names = isAll ? ["ALL"] : privileges;
  return all(
    names.map((name) =>
      exists(
        `${of} AND p.privilege_type IN (${
          literals([...new Set([name, "ALL"])])
        })`,
        granted,
      )
    ),
  );
}

function membership(
  { privileges, granted }: Grant,
  member: string,
): string | undefined {
  return all(privileges.map((role) =>
    exists(
      "SELECT 1 FROM pg_catalog.pg_auth_members s " +
        "JOIN pg_catalog.pg_roles r ON r.oid = s.roleid " +
        "JOIN pg_catalog.pg_roles m ON m.oid = s.member " +
        `WHERE r.rolname = ${quoteLiteral(role)} AND m.rolname = ${
          quoteLiteral(member)
        }`,
      granted,
    )
  ));
}

/** Whether privileges on objects, or memberships, are held, or none of them. */
export function grantPredicate(
  effect: Grant,
  catalog: Catalog,
): string | undefined {
  const { on, to, objects } = effect;
  const isRelative = to.some((role) =>
    ["current_user", "current_role", "session_user"].includes(role)
  );
  if (isRelative) return undefined;
  if (on === "role") return all(to.map((role) => membership(effect, role)));
  const access = catalog.kind === "postgresql"
    ? accessInPostgres
    : accessInCockroach;
  return all(
    objects.flatMap((object) =>
      to.map((role) => access(effect, object, role, catalog))
    ),
  );
}
