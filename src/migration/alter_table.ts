/**
 * The outcome of ALTER TABLE: one part an action, in the grammars of CockroachDB and PostgreSQL.
 *
 * @module
 */

import {
  addColumn,
  alterColumn,
  dropColumn,
  renamePart,
} from "./alter_column.ts";
import {
  certain,
  type ConstraintType,
  type Effect,
  HARMLESS,
  type Outcome,
  UNKNOWN,
} from "./effect.ts";
import { sumOf } from "./outcome_sum.ts";
import type { ObjectName, Reader } from "./reader.ts";

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
  "NO FORCE",
  "CONFIGURE",
  "SCATTER",
  "SPLIT",
  "UNSPLIT",
  "EXPERIMENTAL_AUDIT",
  "PARTITION BY",
  "INJECT STATISTICS",
  "REPLICA",
];

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

function addConstraint(table: ObjectName, reader: Reader): Outcome {
  const named = reader.take("CONSTRAINT");
  const idempotent = named && reader.take("IF NOT EXISTS");
  let name = named ? reader.identifier() : undefined;
  const words = reader.takeOne(...Object.keys(CONSTRAINT_TYPES));
  if (words === undefined || (named && name === undefined)) return UNKNOWN;
  // CockroachDB has such a constraint without an index, by which it would be known.
  const constraintType = reader.take("WITHOUT INDEX")
    ? undefined
    : CONSTRAINT_TYPES[words];
  const isCheck = constraintType === "check" || constraintType === "exclude";
  // The constraint gives the index its name, or else has the index's.
  if (reader.take("USING INDEX")) name ??= reader.identifier();
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
  return addColumn(table, reader);
}

function drop(table: ObjectName, reader: Reader): Outcome {
  if (!reader.take("CONSTRAINT")) {
    reader.take("COLUMN");
    return dropColumn(table, reader);
  }
  const idempotent = reader.take("IF EXISTS");
  const name = reader.identifier();
  if (name === undefined) return UNKNOWN;
  return certain(
    [{ type: "constraint", table, name, present: false }],
    idempotent,
  );
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
  if (reader.take("CONSTRAINT")) return renamePart(table, reader, "constraint");
  reader.take("COLUMN");
  return renamePart(table, reader, "column");
}

/** Reads the partition, or the parent, that a table gets or loses. */
function adopt(table: ObjectName, reader: Reader, words: string): Outcome {
  const other = reader.name();
  if (other === undefined) return UNKNOWN;
  const isParent = words.endsWith("INHERIT");
  return certain([{
    type: "child",
    table: isParent ? other : table,
    child: isParent ? table : other,
    present: words === "ATTACH PARTITION" || words === "INHERIT",
  }]);
}

const ADOPTIONS = [
  ...["ATTACH PARTITION", "DETACH PARTITION", "NO INHERIT", "INHERIT"],
];

function action(table: ObjectName, reader: Reader): Outcome {
  const adoption = reader.takeOne(...ADOPTIONS);
  if (adoption !== undefined) return adopt(table, reader, adoption);
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
  return DECLARATIONS.some((words) => reader.sees(words)) ? HARMLESS : UNKNOWN;
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
  const outcomes = actions.map((part) => action(table, part));
  return sumOf(withoutOldKey(outcomes, table.at(-1)!));
}

/** Where a new key's constraint has the name of the one that goes, the key alone tells. */
function withoutOldKey(outcomes: Outcome[], table: string): Outcome[] {
  const effects = outcomes.flatMap(({ effects }) => effects ?? []);
  if (!effects.some(({ type }) => type === "primary-key")) return outcomes;
  const constraints = effects.filter((effect) => effect.type === "constraint");
  const name =
    constraints.find(({ constraintType }) => constraintType === "primary-key")
      ?.name ?? `${table}_pkey`;
  if (constraints.every((one) => one.present || one.name !== name)) {
    return outcomes;
  }
  return outcomes.map((outcome) => ({
    ...outcome,
    effects: outcome.effects?.filter((effect) =>
      effect.type !== "constraint" || effect.name !== name
    ),
  }));
}
