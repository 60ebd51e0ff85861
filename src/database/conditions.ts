/**
 * The part of a statement that restricts rows: pure functions that write conditions. Identifiers are
 * always quoted, values are always bound.
 *
 * @module
 */

import { quoteIdentifier } from "../sql.ts";
import type { RowInput } from "./row_input.ts";

/** How a condition compares. */
export type Operator = "=" | "!=" | "<" | "<=" | ">" | ">=" | "like" | "ilike";

/** A comparison in a {@linkcode Where}. */
export interface Comparison {
  /** The operator. */
  op: Operator;
  /** What to compare the column with. */
  value: unknown;
}

/**
 * Conditions that all have to hold: a value is `=`, `null` is `IS NULL`, an array is `= ANY`, and
 * `{ op, value }` compares.
 */
export type Where = Record<string, unknown>;

const OPERATORS: Readonly<Record<Operator, string>> = {
  "=": "=",
  "!=": "<>",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
  "like": "LIKE",
  "ilike": "ILIKE",
};

/**
 * Writes the conditions of a {@linkcode Where}, and adds their arguments to `args`.
 *
 * @throws {TypeError} An operator or a value that there is no condition for.
 */
export function whereConditions(
  where: Where | RowInput,
  args: unknown[],
): string {
  return Object.entries<unknown>(where).map(([column, condition]) => {
    const name = quoteIdentifier(column);
    const { op, value } = isComparison(condition)
      ? condition
      : { op: "=" as const, value: condition };
    if (lacksValue(condition)) {
      throw new TypeError(
        `Cannot compare ${column} by "${condition.op}": there is no value; give { op: "${condition.op}", value: … }, or json(…) to look for this object`,
      );
    }
    const operator = Object.hasOwn(OPERATORS, op) ? OPERATORS[op] : undefined;
    if (operator === undefined) {
      throw new TypeError(
        `Cannot compare ${column} by "${op}": the operators are ${
          Object.keys(OPERATORS).join(", ")
        }`,
      );
    }
    if (value === undefined) {
      throw new TypeError(
        `Cannot compare ${column} with undefined: give a value, or null for NULL`,
      );
    }
    if (value === null) {
      if (op === "=") return `${name} IS NULL`;
      if (op === "!=") return `${name} IS NOT NULL`;
      throw new TypeError(
        `Cannot compare ${column} by "${op}" with null: use "=" or "!="`,
      );
    }
    args.push(value);
    if (Array.isArray(value) && !isComparison(condition)) {
      return `${name} = ANY($${args.length})`;
    }
    return `${name} ${operator} $${args.length}`;
  }).join(" AND ");
}

function isComparison(value: unknown): value is Comparison {
  return typeof value === "object" && value !== null && "op" in value &&
    "value" in value;
}

/** Whether the value was forgotten: an object that names an operator is hardly meant to be one. */
function lacksValue(condition: unknown): condition is { op: Operator } {
  return typeof condition === "object" && condition !== null &&
    "op" in condition && !("value" in condition) &&
    typeof condition.op === "string" && Object.hasOwn(OPERATORS, condition.op);
}
