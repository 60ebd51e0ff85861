/**
 * Asks the catalog whether a schema change has been done, as one SQL expression.
 *
 * Its value is noted with the intent before a schema change is sent, and it is asked again where the
 * answer was lost, with the facts that were noted too. It never fails, whatever exists, and is NULL
 * where it can't be told: a name says another database than the session's, or a type isn't there.
 *
 * @module
 */

import { quoteLiteral } from "../sql.ts";
import {
  all,
  apart,
  type Catalog,
  type CatalogObject,
  catalogOf,
  exists,
  find,
  inDatabase,
  inSchema,
  oidOf,
  renamedByTable,
  type Search,
} from "./catalog.ts";
import type { Effect } from "./effect.ts";
import { commentPredicate, grantPredicate } from "./predicate_access.ts";
import {
  constraintPredicate,
  findConstraint,
  findIndex,
  indexPredicate,
  primaryKeyPredicate,
} from "./predicate_index.ts";
import { storagePredicate } from "./predicate_storage.ts";
import {
  childPredicate,
  columnPredicate,
  defaultPredicate,
  findColumn,
  identityPredicate,
  notNullPredicate,
  plainPredicate,
  typePredicate,
} from "./predicate_table.ts";
import type { ObjectName } from "./reader.ts";
import type { ServerKind } from "./server.ts";

type Of<T extends Effect["type"]> = Extract<Effect, { type: T }>;

/** A new object goes to one schema; one that is dropped was in some schema of the search path. */
function named(
  object: CatalogObject,
  { name, present }: { name: ObjectName; present: boolean },
  catalog: Catalog,
): string | undefined {
  const search: Search = present ? "creation" : "path";
  return exists(find(object, name, search, catalog), present);
}

function functionPredicate(
  { name, parameters, present }: Of<"function">,
  catalog: Catalog,
): string | undefined {
  const schema = inSchema(name, present ? "creation" : "path", catalog);
  // Of functions with one name only the types of their parameters differ, and types have aliases.
  const isTelling = parameters === undefined || parameters === "";
  if (catalog.kind === "cockroachdb" || !isTelling) return undefined;
  return schema && exists(
    "SELECT 1 FROM pg_catalog.pg_proc o JOIN pg_catalog.pg_namespace n ON n.oid = o.pronamespace " +
      `WHERE o.proname = ${quoteLiteral(name[name.length - 1])} AND ${schema}` +
      (parameters === undefined ? "" : " AND o.pronargs = 0"),
    present,
  );
}

function onTable(
  { type, table, name, present }: Of<"trigger" | "policy">,
  catalog: Catalog,
): string | undefined {
  const oid = oidOf("relation", table, catalog);
  if (catalog.kind === "cockroachdb" || oid === undefined) return undefined;
  const [source, column, of] = type === "trigger"
    ? ["pg_trigger", "tgname", "tgrelid"]
    : ["pg_policy", "polname", "polrelid"];
  return exists(
    `SELECT 1 FROM pg_catalog.${source} x WHERE x.${of} = ${oid} AND x.${column} = ${
      quoteLiteral(name)
    }`,
    present,
  );
}

function findValue(
  typeName: ObjectName,
  value: string,
  catalog: Catalog,
): string | undefined {
  const oid = oidOf("type", typeName, catalog);
  return oid &&
    `SELECT 1 FROM pg_catalog.pg_enum e WHERE e.enumtypid = ${oid} ` +
      `AND e.enumlabel = ${quoteLiteral(value)}`;
}

function findDomainConstraint(
  domain: ObjectName,
  name: string,
  catalog: Catalog,
  { isValid = false } = {},
): string | undefined {
  const oid = oidOf("type", domain, catalog);
  return oid &&
    `SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.contypid = ${oid} ` +
      `AND k.conname = ${quoteLiteral(name)}` +
      (isValid ? " AND k.convalidated" : "");
}

function findRenamed(
  { object, of }: Of<"rename">,
  name: ObjectName,
  catalog: Catalog,
): string | undefined {
  const part = name[name.length - 1];
  switch (object) {
    case "column":
      return of && findColumn(of, part, catalog);
    case "constraint":
      return of && findConstraint(of, part, catalog);
    case "domain-constraint":
      return of && findDomainConstraint(of, part, catalog);
    case "enum-value":
      return of && findValue(of, part, catalog);
    case "index":
      return findIndex(of, name, "path", catalog);
    case "view":
      return find("any-view", name, "path", catalog);
    case "table":
      return find(renamedByTable(catalog.kind), name, "path", catalog);
  }
  return find(object, name, "path", catalog);
}

function renamePredicate(
  effect: Of<"rename">,
  catalog: Catalog,
): string | undefined {
  const { from, to } = effect;
  const current = findRenamed(effect, to, catalog);
  const old = findRenamed(effect, from, catalog);
  // After SET SCHEMA the search path may still lead to the object, in its new schema.
  const isMoved = from.at(-1) === to.at(-1);
  const apart = isMoved ? ` AND n.nspname <> ${quoteLiteral(to[0])}` : "";
  return all([exists(current), exists(old && old + apart, false)]);
}

function predicate(
  effect: Effect,
  effects: readonly Effect[],
  catalog: Catalog,
): string | undefined {
  switch (effect.type) {
    case "view":
      return named(
        effect.materialized ? "materialized-view" : "view",
        effect,
        catalog,
      );
    case "function":
      return functionPredicate(effect, catalog);
    case "trigger":
    case "policy":
      return onTable(effect, catalog);
    case "column":
      return columnPredicate(effect, catalog);
    case "column-type":
      return typePredicate(effect, catalog);
    case "column-default":
      return defaultPredicate(effect, catalog);
    case "column-not-null":
      return notNullPredicate(effect, catalog);
    case "column-identity":
      return identityPredicate(effect, catalog);
    case "column-plain":
      return plainPredicate(effect, catalog);
    case "child":
      return childPredicate(effect, catalog);
    case "index":
      return indexPredicate(effect, effects, catalog);
    case "constraint":
      return constraintPredicate(effect, effects, catalog);
    case "domain-constraint":
      return exists(
        findDomainConstraint(effect.domain, effect.name, catalog, {
          isValid: effect.validated,
        }),
        effect.present,
      );
    case "primary-key":
      return primaryKeyPredicate(effect, catalog);
    case "truncation":
    case "restart":
      return storagePredicate(effect, catalog);
    case "enum-value":
      return exists(
        findValue(effect.typeName, effect.value, catalog),
        effect.present,
      );
    case "rename":
      return renamePredicate(effect, catalog);
    case "comment":
      return commentPredicate(effect, catalog);
    case "grant":
      return grantPredicate(effect, catalog);
    case "hidden":
      return undefined;
  }
  return named(effect.type, effect, catalog);
}

/**
 * Makes an expression for each of a statement's effects, which is true exactly when the catalog holds
 * it.
 *
 * @returns The expressions; `undefined` where the catalog can't tell.
 */
export function partsOf(
  effects: readonly Effect[],
  kind: ServerKind,
): (string | undefined)[] {
  return effects.map((effect) => {
    const catalog = catalogOf(effect, kind);
    const part = catalog && predicate(effect, effects, catalog);
    return part && inDatabase(part, catalog!);
  });
}

/**
 * Makes an expression that is true exactly when the catalog holds all of a statement's effects.
 *
 * @example
 * ```ts
 * import { predicateOf } from "./predicate.ts";
 *
 * predicateOf([{ type: "role", name: ["reader"], present: true }], "postgresql");
 * // EXISTS (SELECT o.oid FROM pg_catalog.pg_roles o WHERE o.rolname = 'reader')
 * ```
 *
 * @param effects The effects, as `classify()` gives them.
 * @param kind What the server is.
 * @returns The expression, without parameters; `undefined` where the catalog can't tell.
 */
export function predicateOf(
  effects: readonly Effect[],
  kind: ServerKind,
): string | undefined {
  const held = all(partsOf(effects, kind));
  return held && apart(held, kind);
}
