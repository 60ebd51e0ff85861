/**
 * The outcome of ALTER TABLE: one part an action, in the grammars of CockroachDB and PostgreSQL.
 *
 * @module
 */

import {
  type ConstraintType,
  type Effect,
  HARMLESS,
  type Outcome,
  sumOf,
  UNKNOWN,
} from "./effect.ts";
import type { ObjectName, Reader } from "./reader.ts";

/** The words that end a column's type. */
const TYPE_ENDS = [
  "NOT",
  "NULL",
  "DEFAULT",
  "PRIMARY",
  "UNIQUE",
  "REFERENCES",
  "CHECK",
  "CONSTRAINT",
  "COLLATE",
  "GENERATED",
  "AS",
  "CREATE",
  "FAMILY",
  "ON",
  "VISIBLE",
  "USING",
  "STORAGE",
  "COMPRESSION",
];

const CONSTRAINT_TYPES: Readonly<Record<string, ConstraintType>> = {
  "PRIMARY KEY": "primary-key",
  "UNIQUE": "unique",
  "CHECK": "check",
  "FOREIGN KEY": "foreign-key",
  "EXCLUDE": "exclude",
};

/** Actions that state how something is to be; to state it twice changes nothing. */
const DECLARATIONS = [
  "SET",
  "RESET",
  "OWNER",
  "ENABLE",
  "DISABLE",
  "FORCE",
  "CONFIGURE",
  "SCATTER",
  "REPLICA",
];

function certain(effects: Effect[], idempotent = false): Outcome {
  return { effects, idempotent };
}

/**
 * Reads key columns in parentheses.
 *
 * @returns The columns; `undefined` where there is no such list or a part of it is an expression.
 */
export function readColumns(reader: Reader): string[] | undefined {
  const columns = reader.group()?.map((part) => {
    const column = part.identifier();
    return part.done || part.next.kind === "word" ? column : undefined;
  });
  return columns?.every((column) => column !== undefined) ? columns : undefined;
}

function readType(reader: Reader): string {
  const before = reader.rest;
  const found = reader.skipTo(...TYPE_ENDS);
  const length = found ? before.length - reader.rest.length : before.length;
  return reader.textOf(before.slice(0, length));
}

function addConstraint(table: ObjectName, reader: Reader): Outcome {
  const named = reader.take("CONSTRAINT");
  const idempotent = named && reader.take("IF NOT EXISTS");
  const name = named ? reader.identifier() : undefined;
  const words = reader.takeOne(...Object.keys(CONSTRAINT_TYPES));
  if (words === undefined || (named && name === undefined)) return UNKNOWN;
  const constraintType = CONSTRAINT_TYPES[words];
  const isCheck = constraintType === "check" || constraintType === "exclude";
  const columns = isCheck ? undefined : readColumns(reader);
  let validated = true;
  while (reader.skipTo("NOT")) {
    if (reader.sees("NOT VALID")) validated = false;
    reader.skip();
  }
  const constraint: Effect = {
    type: "constraint",
    table,
    name,
    present: true,
    constraintType,
    columns,
    validated,
  };
  if (constraintType !== "primary-key" || columns === undefined) {
    return certain([constraint], idempotent);
  }
  const key: Effect = { type: "primary-key", table, columns };
  return certain(name === undefined ? [key] : [key, constraint], idempotent);
}

function add(table: ObjectName, reader: Reader): Outcome {
  const isColumn = reader.take("COLUMN");
  const constraints = ["CONSTRAINT", ...Object.keys(CONSTRAINT_TYPES)];
  if (!isColumn && constraints.some((words) => reader.sees(words))) {
    return addConstraint(table, reader);
  }
  const idempotent = reader.take("IF NOT EXISTS");
  const column = reader.identifier();
  if (column === undefined) return UNKNOWN;
  const dataType = readType(reader);
  return certain(
    [{ type: "column", table, column, present: true, dataType }],
    idempotent,
  );
}

function drop(table: ObjectName, reader: Reader): Outcome {
  const isConstraint = reader.take("CONSTRAINT");
  if (!isConstraint) reader.take("COLUMN");
  const idempotent = reader.take("IF EXISTS");
  const name = reader.identifier();
  if (name === undefined) return UNKNOWN;
  return certain([
    isConstraint
      ? { type: "constraint", table, name, present: false }
      : { type: "column", table, column: name, present: false },
  ], idempotent);
}

function alterColumn(table: ObjectName, reader: Reader): Outcome {
  const column = reader.identifier();
  if (column === undefined) return UNKNOWN;
  if (reader.takeOne("SET DATA TYPE", "TYPE") !== undefined) {
    const dataType = readType(reader);
    const idempotent = !reader.skipTo("USING");
    return certain(
      [{ type: "column-type", table, column, dataType }],
      idempotent,
    );
  }
  switch (
    reader.takeOne(
      "SET DEFAULT",
      "DROP DEFAULT",
      "SET NOT NULL",
      "DROP NOT NULL",
      "SET",
    )
  ) {
    case "SET DEFAULT": {
      const expression = reader.restText;
      return certain(
        [{ type: "column-default", table, column, set: true, expression }],
        true,
      );
    }
    case "DROP DEFAULT":
      return certain(
        [{ type: "column-default", table, column, set: false }],
        true,
      );
    case "SET NOT NULL":
      return certain(
        [{ type: "column-not-null", table, column, value: true }],
        true,
      );
    case "DROP NOT NULL":
      return certain(
        [{ type: "column-not-null", table, column, value: false }],
        true,
      );
    case "SET":
      return HARMLESS;
  }
  return UNKNOWN;
}

function alter(table: ObjectName, reader: Reader): Outcome {
  if (reader.take("PRIMARY KEY USING COLUMNS")) {
    const columns = readColumns(reader);
    if (columns === undefined) return UNKNOWN;
    return certain([{ type: "primary-key", table, columns }]);
  }
  if (reader.take("CONSTRAINT")) return UNKNOWN;
  reader.take("COLUMN");
  return alterColumn(table, reader);
}

/**
 * Says what a table is called after `RENAME TO`, or another object of its schema.
 *
 * @returns The new name, in the schema of the old one unless it names a schema itself.
 */
export function renamed(from: ObjectName, to: ObjectName): ObjectName {
  return to.length > 1 ? to : [...from.slice(0, -1), ...to];
}

function rename(table: ObjectName, reader: Reader): Outcome {
  if (reader.take("TO")) {
    const to = reader.name();
    if (to === undefined) return UNKNOWN;
    return certain([{
      type: "rename",
      object: "table",
      from: table,
      to: renamed(table, to),
    }]);
  }
  const object = reader.takeOne("CONSTRAINT") !== undefined
    ? "constraint"
    : "column";
  if (object === "column") reader.take("COLUMN");
  const from = reader.identifier();
  const to = reader.take("TO") ? reader.identifier() : undefined;
  if (from === undefined || to === undefined) return UNKNOWN;
  return certain([{
    type: "rename",
    object,
    of: table,
    from: [from],
    to: [to],
  }]);
}

function action(table: ObjectName, reader: Reader): Outcome {
  switch (
    reader.takeOne("ADD", "DROP", "ALTER", "RENAME", "VALIDATE", "SET SCHEMA")
  ) {
    case "ADD":
      return add(table, reader);
    case "DROP":
      return drop(table, reader);
    case "ALTER":
      return alter(table, reader);
    case "RENAME":
      return rename(table, reader);
    case "VALIDATE": {
      const name = reader.take("CONSTRAINT") ? reader.identifier() : undefined;
      if (name === undefined) return UNKNOWN;
      return certain(
        [{ type: "constraint", table, name, present: true, validated: true }],
        true,
      );
    }
    case "SET SCHEMA": {
      const schema = reader.identifier();
      if (schema === undefined) return UNKNOWN;
      const to = [schema, table[table.length - 1]];
      return certain([{ type: "rename", object: "table", from: table, to }]);
    }
  }
  return DECLARATIONS.includes(reader.next.word) ? HARMLESS : UNKNOWN;
}

/**
 * Reads what follows `ALTER TABLE`.
 *
 * @param reader The cursor, after `ALTER TABLE`.
 * @returns The outcome of all its actions together.
 */
export function alterTable(reader: Reader): Outcome {
  reader.take("IF EXISTS");
  reader.take("ONLY");
  const table = reader.name();
  if (table === undefined) return UNKNOWN;
  reader.take("*");
  // The settings of a zone are separated by commas too.
  const actions = reader.sees("CONFIGURE") ? [reader] : reader.split();
  return sumOf(actions.map((part) => action(table, part)));
}
