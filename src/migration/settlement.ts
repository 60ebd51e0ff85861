/**
 * Tells what became of a statement by what the catalog held of each of its effects before it was sent,
 * and holds now. Pure.
 *
 * @module
 */

import type { Effect } from "./effect.ts";

/** What became of a statement. */
export type Settlement = "done" | "not-done" | "unknown";

/** What is known of a statement, an item an effect; `null` where the catalog can't tell. */
export interface Evidence {
  /** Its effects, with what was noted of them. */
  readonly effects: readonly Effect[];
  /** Whether running it a second time leaves the same result without an error. */
  readonly idempotent: boolean;
  /** Whether the catalog held the effects before it was sent. */
  readonly before: readonly (boolean | null)[];
  /** Whether the catalog holds them now. */
  readonly now: readonly (boolean | null)[];
}

/**
 * Decides by the effects that the catalog didn't hold before: where it holds them all now, the
 * statement is done, and where it holds none, it isn't.
 */
export function settlementOf(
  { effects, idempotent, before, now }: Evidence,
): Settlement {
  const answers = new Set(
    now.filter((held, i) => held !== null && before[i] === false),
  );
  if (answers.size === 1) return answers.has(true) ? "done" : "not-done";
  if (idempotent) return "not-done";
  if (answers.size > 1) return "unknown";
  // What a column's values are made of would be made of them again; whatever else was so before and
  // has a name is refused by the server, which says why better than we can, or, as a key, made anew.
  const isRefused = effects.length > 0 &&
    effects.every((effect, i) => before[i] === true && hasName(effect));
  return isRefused ? "not-done" : "unknown";
}

function hasName(effect: Effect): boolean {
  if (effect.type === "column-type") return false;
  const mayLackName = effect.type === "index" || effect.type === "constraint";
  return !mayLackName || effect.name !== undefined;
}
