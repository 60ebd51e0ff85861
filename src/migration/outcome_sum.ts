/**
 * Adds the outcomes of the parts of one statement: what the catalog tells of each stays known, unless
 * another part hides it.
 *
 * @module
 */

import type { Effect, Outcome } from "./effect.ts";

/** A part of which the catalog can't tell, and that can't be run twice. */
const HIDDEN: Effect = { type: "hidden" };

/** What an effect is about, where another effect of the statement may undo it. */
function subject(effect: Effect): string {
  const name = "name" in effect ? effect.name : undefined;
  const column = "column" in effect ? effect.column : undefined;
  const tables = effect.type === "truncation"
    ? [effect.table]
    : effect.type === "child"
    ? [effect.table, effect.child]
    : undefined;
  return JSON.stringify([effect.type, name, column, tables]);
}

/** The columns and constraints that an effect names. */
function touched(effect: Effect): readonly string[] {
  if (effect.type === "rename") return [...effect.from, ...effect.to];
  return [
    ..."column" in effect ? [effect.column] : [],
    ..."columns" in effect ? effect.columns ?? [] : [],
    ..."name" in effect && typeof effect.name === "string" ? [effect.name] : [],
  ];
}

/** Whether a renaming leaves the effect of another part under another name. */
function renames(effect: Effect, other: Effect): boolean {
  if (effect.type !== "rename") return false;
  // What has no such owner is the table itself.
  if (effect.of === undefined) return true;
  const names = touched(effect);
  return touched(other).some((name) => names.includes(name));
}

function hides(one: Effect, other: Effect): boolean {
  if (renames(one, other) || renames(other, one)) return true;
  // Parts without a name get different ones, and so are told apart by the server alone.
  const isOwn = one.type === "rename" ||
    (one.type === "constraint" && one.name === undefined);
  return !isOwn && subject(one) === subject(other);
}

/**
 * Adds the outcomes of a statement's parts.
 *
 * @param outcomes The parts'.
 * @returns The whole's. Where one part hides another, as when a column is dropped and added again,
 * neither tells anything; where none does, no effects are known.
 */
export function sumOf(outcomes: readonly Outcome[]): Outcome {
  const idempotent = outcomes.every(({ idempotent }) => idempotent);
  const parts = outcomes.flatMap(({ effects, idempotent }) =>
    effects ?? (idempotent ? [] : [HIDDEN])
  );
  const effects = parts.map((one) =>
    parts.some((other) => other !== one && hides(one, other)) ? HIDDEN : one
  );
  return effects.every(({ type }) => type === "hidden")
    ? { idempotent }
    : { effects, idempotent };
}
