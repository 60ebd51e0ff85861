/**
 * The outcome of what ALTER TABLE does to a column, and ALTER TYPE to an attribute: the catalog has the
 * attributes of a composite type as it has the columns of a table.
 *
 * @module
 */

import { certain, HARMLESS, type Outcome, UNKNOWN } from "./effect.ts";
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

function readType(reader: Reader): string {
  const before = reader.rest;
  const found = reader.skipTo(...TYPE_ENDS);
  const length = found ? before.length - reader.rest.length : before.length;
  return reader.textOf(before.slice(0, length));
}

/** Reads a new column, or an attribute of a composite type. */
export function addColumn(table: ObjectName, reader: Reader): Outcome {
  const idempotent = reader.take("IF NOT EXISTS");
  const column = reader.identifier();
  if (column === undefined) return UNKNOWN;
  const dataType = readType(reader);
  return certain(
    [{ type: "column", table, column, present: true, dataType }],
    idempotent,
  );
}

/** Reads a column that is to go, or an attribute of a composite type. */
export function dropColumn(table: ObjectName, reader: Reader): Outcome {
  const idempotent = reader.take("IF EXISTS");
  const column = reader.identifier();
  if (column === undefined) return UNKNOWN;
  return certain(
    [{ type: "column", table, column, present: false }],
    idempotent,
  );
}

/** Reads what is to change of a column, or of an attribute of a composite type. */
export function alterColumn(table: ObjectName, reader: Reader): Outcome {
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
      "ADD GENERATED",
      "DROP IDENTITY",
      "DROP EXPRESSION",
      "DROP STORED",
      "DROP ON UPDATE",
      "RESET",
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
    case "ADD GENERATED":
      return certain(
        [{ type: "column-identity", table, column, present: true }],
      );
    case "DROP IDENTITY": {
      const idempotent = reader.take("IF EXISTS");
      return certain(
        [{ type: "column-identity", table, column, present: false }],
        idempotent,
      );
    }
    case "DROP EXPRESSION":
    case "DROP STORED": {
      const idempotent = reader.take("IF EXISTS");
      return certain([{ type: "column-plain", table, column }], idempotent);
    }
    case "DROP ON UPDATE":
    case "RESET":
      return HARMLESS;
    case "SET":
      // Of an identity's options RESTART alone does something each time.
      return reader.rest.some(({ word }) => word === "RESTART")
        ? UNKNOWN
        : HARMLESS;
  }
  return UNKNOWN;
}

/** Reads the names of a column or constraint, before and after. */
export function renamePart(
  table: ObjectName,
  reader: Reader,
  object: "column" | "constraint" | "domain-constraint",
): Outcome {
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
