/**
 * The outcome of schema changes: what the catalog holds once one has been done, as far as its text
 * tells. A run that lost the answer to a statement looks these things up.
 *
 * @module
 */

import { alterColumn, renamePart } from "./alter_column.ts";
import { alterTable, readColumns, renamed } from "./alter_table.ts";
import { alterDomain, alterType } from "./alter_type.ts";
import { type Effect, HARMLESS, type Outcome, UNKNOWN } from "./effect.ts";
import { type Head, NAMED_OBJECTS } from "./head.ts";
import type { ObjectName, Reader } from "./reader.ts";

/** The beginnings of ALTER actions that state how something is to be. */
const DECLARATIONS = [
  "SET",
  "RESET",
  "OWNER",
  "OWNED",
  "START",
  "AS",
  "CONFIGURE",
  "INCREMENT",
  "MINVALUE",
  "MAXVALUE",
  "CACHE",
  "CYCLE",
  "NO",
  "WITH",
  "NOT",
  "VISIBLE",
  "INVISIBLE",
  "SURVIVE",
  "SPLIT",
  "PRIMARY",
];

function presence(
  object: string,
  name: ObjectName,
  present: boolean,
): Effect {
  const type = NAMED_OBJECTS[object];
  if (type !== "view") return { type, name, present };
  const materialized = object === "MATERIALIZED VIEW";
  return { type, name, materialized, present };
}

/** Takes the name of an object. */
function objectName(reader: Reader, object: string): ObjectName | undefined {
  if (NAMED_OBJECTS[object] !== "role") return reader.name();
  const role = reader.role();
  return role === undefined ? undefined : [role];
}

function present(effect: Effect | undefined, idempotent: boolean): Outcome {
  return effect === undefined
    ? { idempotent }
    : { effects: [effect], idempotent };
}

/** `name [(columns)] … ON table`, for triggers and policies. */
function onTable(
  reader: Reader,
  object: string,
  present: boolean,
): Effect | undefined {
  const name = reader.identifier();
  if (name === undefined || !reader.skipTo("ON")) return undefined;
  reader.skip();
  const table = reader.name();
  if (table === undefined) return undefined;
  const type = object === "TRIGGER" ? "trigger" : "policy";
  return { type, table, name, present };
}

/** `name [(parameters)]`, for functions and procedures. */
function readFunction(reader: Reader, present: boolean): Effect | undefined {
  const name = reader.name();
  if (name === undefined) return undefined;
  if (reader.next.text !== "(") return { type: "function", name, present };
  const before = reader.rest;
  reader.skip();
  const inner = before.slice(1, before.length - reader.rest.length - 1);
  const parameters = reader.textOf(inner);
  return { type: "function", name, parameters, present };
}

/** `[name] ON [ONLY] table [USING method] (columns)`. */
function createIndex(reader: Reader, unique: boolean): Effect | undefined {
  const name = reader.sees("ON") ? undefined : reader.name();
  if (!reader.take("ON")) return undefined;
  reader.take("ONLY");
  const table = reader.name();
  if (table === undefined) return undefined;
  if (reader.take("USING")) reader.skip();
  const columns = readColumns(reader);
  return { type: "index", table, name, present: true, columns, unique };
}

/** `[table@]index`, as CockroachDB writes it, or `[schema.]index`. */
function readIndex(
  reader: Reader,
): { table?: ObjectName; name: ObjectName } | undefined {
  const first = reader.name();
  if (first === undefined) return undefined;
  if (!reader.take("@")) return { name: first };
  const index = reader.identifier();
  return index === undefined ? undefined : { table: first, name: [index] };
}

function create(reader: Reader, { object, modifiers }: Head): Outcome {
  if (modifiers.includes("OR REPLACE")) {
    return { idempotent: true, replaces: true };
  }
  // A temporary object is gone with the session that made it.
  if (modifiers.includes("TEMP") || modifiers.includes("TEMPORARY")) {
    return UNKNOWN;
  }
  if (object === "INDEX") reader.take("CONCURRENTLY");
  const idempotent = reader.take("IF NOT EXISTS");
  switch (object) {
    case "INDEX":
      return present(
        createIndex(reader, modifiers.includes("UNIQUE")),
        idempotent,
      );
    case "TRIGGER":
    case "POLICY":
      return present(onTable(reader, object, true), idempotent);
    case "FUNCTION":
    case "PROCEDURE":
      return present(readFunction(reader, true), idempotent);
  }
  if (!Object.hasOwn(NAMED_OBJECTS, object)) return { idempotent };
  const isOwners = object === "SCHEMA" && reader.take("AUTHORIZATION");
  const name = objectName(reader, isOwners ? "ROLE" : object);
  return present(name && presence(object, name, true), idempotent);
}

function drop(reader: Reader, { object }: Head): Outcome {
  if (object === "INDEX") reader.take("CONCURRENTLY");
  const idempotent = reader.take("IF EXISTS");
  const one = (): Effect | undefined => {
    switch (object) {
      case "INDEX": {
        const index = readIndex(reader);
        return index && { type: "index", ...index, present: false };
      }
      case "TRIGGER":
      case "POLICY":
        return onTable(reader, object, false);
      case "FUNCTION":
      case "PROCEDURE":
        return readFunction(reader, false);
    }
    if (!Object.hasOwn(NAMED_OBJECTS, object)) return undefined;
    const name = objectName(reader, object);
    return name && presence(object, name, false);
  };
  const effects = reader.list(one);
  return effects === undefined ? { idempotent } : { effects, idempotent };
}

function alterIndex(reader: Reader): Outcome {
  const index = readIndex(reader);
  if (index === undefined) return UNKNOWN;
  if (!reader.take("RENAME TO")) return declaration(reader);
  const to = reader.name();
  if (to === undefined) return UNKNOWN;
  const { table, name } = index;
  return present({
    type: "rename",
    object: "index",
    of: table,
    from: name,
    to: renamed(name, to),
  }, false);
}

/** Functions have names of which the catalog can't always tell. */
function alterFunction(reader: Reader): Outcome {
  reader.name();
  reader.group();
  return reader.sees("SET SCHEMA") ? UNKNOWN : declaration(reader);
}

/**
 * Reads what follows TRUNCATE.
 *
 * @param reader The cursor, after that word.
 */
export function truncate(reader: Reader): Outcome {
  reader.take("TABLE");
  const effects = reader.list((): Effect | undefined => {
    reader.take("ONLY");
    const table = reader.name();
    return table && { type: "truncation", table };
  });
  return { effects, idempotent: false };
}

function declaration(reader: Reader): Outcome {
  return DECLARATIONS.includes(reader.next.word) ? HARMLESS : UNKNOWN;
}

function alter(reader: Reader, { object }: Head): Outcome {
  if (object === "TABLE" || object === "FOREIGN TABLE") {
    return alterTable(reader);
  }
  if (object === "DEFAULT PRIVILEGES") return HARMLESS;
  reader.take("IF EXISTS");
  if (object === "INDEX") return alterIndex(reader);
  if (object === "FUNCTION" || object === "PROCEDURE") {
    return alterFunction(reader);
  }
  if (!Object.hasOwn(NAMED_OBJECTS, object)) {
    // Ranges and partitions have zones, too.
    return reader.skipTo("CONFIGURE") ? HARMLESS : UNKNOWN;
  }
  const type = NAMED_OBJECTS[object];
  const from = objectName(reader, object);
  if (from === undefined) return UNKNOWN;
  const isRename = reader.take("RENAME TO");
  if (isRename || reader.take("SET SCHEMA")) {
    const target = reader.name();
    if (target === undefined) return UNKNOWN;
    const to = isRename
      ? renamed(from, target)
      : [...target, from[from.length - 1]];
    return present({ type: "rename", object: type, from, to }, false);
  }
  switch (type) {
    case "role":
      return HARMLESS;
    case "type":
      return (object === "DOMAIN" ? alterDomain : alterType)(reader, from) ??
        declaration(reader);
    case "view": {
      const words = reader.takeOne("RENAME", "ALTER");
      if (words === undefined) break;
      reader.take("COLUMN");
      return words === "RENAME"
        ? renamePart(from, reader, "column")
        : alterColumn(from, reader);
    }
    case "sequence":
      // Among other options it may stand anywhere.
      if (!reader.rest.some(({ word }) => word === "RESTART")) break;
      return present({ type: "restart", sequence: from }, false);
  }
  return declaration(reader);
}

/**
 * Reads what follows the head of a CREATE, ALTER or DROP statement.
 *
 * @param reader The cursor, after the head.
 * @param head The head.
 * @returns The statement's outcome.
 */
export function schemaChange(reader: Reader, head: Head): Outcome {
  switch (head.action) {
    case "CREATE":
      return create(reader, head);
    case "DROP":
      return drop(reader, head);
  }
  return alter(reader, head);
}
