/**
 * The outcome of ALTER TYPE and ALTER DOMAIN: the values of an enum, the attributes of a composite
 * type, the constraints of a domain.
 *
 * @module
 */

import {
  addColumn,
  alterColumn,
  dropColumn,
  renamePart,
} from "./alter_column.ts";
import { certain, type Outcome, UNKNOWN } from "./effect.ts";
import { sumOf } from "./outcome_sum.ts";
import type { ObjectName, Reader } from "./reader.ts";

const ATTRIBUTE_ACTIONS: Readonly<
  Record<string, (typeName: ObjectName, reader: Reader) => Outcome>
> = {
  "ADD ATTRIBUTE": addColumn,
  "DROP ATTRIBUTE": dropColumn,
  "ALTER ATTRIBUTE": alterColumn,
  "RENAME ATTRIBUTE": (typeName, reader) =>
    renamePart(typeName, reader, "column"),
};

const CONSTRAINT_ACTIONS = ["ADD", "DROP", "VALIDATE", "RENAME"] as const;

/**
 * Reads what follows `ALTER DOMAIN name`.
 *
 * @param reader The cursor, after the name.
 * @param domain The domain.
 * @returns The outcome; `undefined` where it is not about a constraint.
 */
export function alterDomain(
  reader: Reader,
  domain: ObjectName,
): Outcome | undefined {
  const action = CONSTRAINT_ACTIONS.find((word) =>
    reader.take(`${word} CONSTRAINT`)
  );
  // A constraint without a name gets one of the server's.
  if (action === undefined) return reader.sees("ADD") ? UNKNOWN : undefined;
  if (action === "RENAME") {
    return renamePart(domain, reader, "domain-constraint");
  }
  const ifExists = reader.take("IF EXISTS");
  const name = reader.identifier();
  if (name === undefined) return UNKNOWN;
  const constraint = { type: "domain-constraint", domain, name } as const;
  switch (action) {
    case "ADD": {
      const validated = !reader.rest.some(({ word }) => word === "VALID");
      return certain([{ ...constraint, present: true, validated }]);
    }
    case "DROP":
      return certain([{ ...constraint, present: false }], ifExists);
  }
  return certain([{ ...constraint, present: true, validated: true }], true);
}

/**
 * Reads what follows `ALTER TYPE name`.
 *
 * @param reader The cursor, after the name.
 * @param typeName The type.
 * @returns The outcome; `undefined` where it is about neither values nor attributes.
 */
export function alterType(
  reader: Reader,
  typeName: ObjectName,
): Outcome | undefined {
  switch (reader.takeOne("ADD VALUE", "DROP VALUE", "RENAME VALUE")) {
    case "ADD VALUE": {
      const idempotent = reader.take("IF NOT EXISTS");
      const value = reader.string();
      if (value === undefined) return UNKNOWN;
      return certain(
        [{ type: "enum-value", typeName, value, present: true }],
        idempotent,
      );
    }
    case "DROP VALUE": {
      const value = reader.string();
      if (value === undefined) return UNKNOWN;
      return certain([{ type: "enum-value", typeName, value, present: false }]);
    }
    case "RENAME VALUE": {
      const from = reader.string();
      const to = reader.take("TO") ? reader.string() : undefined;
      if (from === undefined || to === undefined) return UNKNOWN;
      return certain([{
        type: "rename",
        object: "enum-value",
        of: typeName,
        from: [from],
        to: [to],
      }]);
    }
  }
  const actions = Object.keys(ATTRIBUTE_ACTIONS);
  if (!actions.some((words) => reader.sees(words))) return undefined;
  return sumOf(
    reader.split().map((part) => {
      const words = part.takeOne(...actions);
      return words === undefined
        ? UNKNOWN
        : ATTRIBUTE_ACTIONS[words](typeName, part);
    }),
  );
}
