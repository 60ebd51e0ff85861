/**
 * The parts of one statement: CockroachDB does some of them on their own, so that some may be done where
 * the statement has failed, or its answer was lost.
 *
 * @module
 */

import type { Effect } from "./effect.ts";

/** A statement has failed, but parts of it are done. The cause says why. */
export class PartlyDone extends Error {
  /** The class's name. */
  override name = "PartlyDone";
  /** The parts that are done. */
  readonly parts: readonly Effect[];

  /**
   * Makes the error.
   *
   * @param parts The parts that are done.
   * @param cause Why the statement has failed.
   */
  constructor(parts: readonly Effect[], cause: unknown) {
    super("parts of the statement are done", { cause });
    this.parts = parts;
  }
}

/** The parts that the catalog holds now, and didn't hold before. */
export function partsDone(
  effects: readonly Effect[],
  before: readonly (boolean | null)[],
  now: readonly (boolean | null)[],
): Effect[] {
  return effects.filter((_, i) => before[i] === false && now[i] === true);
}

/** Names the parts that are done, for people. */
export function describeParts(parts: readonly Effect[]): string {
  return parts.map(describePart).join(", ");
}

function describePart(effect: Effect): string {
  switch (effect.type) {
    case "rename":
      return `${effect.object} ${effect.from.at(-1)} renamed to ${
        effect.to.at(-1)
      }`;
    case "column":
      return `column ${effect.column} ${made(effect)}`;
    case "column-type":
      return `type of ${effect.column} changed`;
    case "column-default":
      return `default of ${effect.column} ${effect.set ? "set" : "dropped"}`;
    case "column-not-null":
      return `NOT NULL of ${effect.column} ${effect.value ? "set" : "dropped"}`;
    case "primary-key":
      return `primary key changed`;
    case "constraint":
      return `constraint ${effect.name ?? "without a name"} ${made(effect)}`;
    case "index":
      return `index ${effect.name?.at(-1) ?? "without a name"} ${made(effect)}`;
    case "enum-value":
      return `value ${effect.value} ${made(effect)}`;
  }
  const name = "name" in effect ? [effect.name].flat().at(-1) : undefined;
  return [effect.type.replaceAll("-", " "), name ?? "", made(effect)]
    .filter((word) => word !== "").join(" ");
}

function made(effect: Effect): string {
  if (!("present" in effect)) return "done";
  return effect.present ? "made" : "dropped";
}
