/**
 * Statements that steer transactions, which have no place in a migration. Pure.
 *
 * @module
 */

import { classify } from "./statement.ts";

/** How such statements begin; most others needn't be read for that. */
const BEGINNINGS =
  /^(?:BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE|SET)\b/i;

/** Why they have no place, and what to do. */
export const NO_STEERING =
  "statements are run and noted one by one, for CockroachDB commits an open transaction " +
  "before a schema change; remove it";

/** The verb of a statement that steers transactions; `undefined` for any other. */
export function steeringVerb(statement: string): string | undefined {
  if (!BEGINNINGS.test(statement)) return undefined;
  const { kind, verb } = classify(statement);
  return kind === "transaction" ? verb : undefined;
}
