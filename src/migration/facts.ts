/**
 * What has to be known of the catalog before a schema change is sent, so that afterwards it tells
 * whether it was done: which schema's object a name without one means, what is there of a kind that the
 * statement adds to without a name, and which of several effects are there already. It is noted with the
 * intent.
 *
 * @module
 */

import {
  apart,
  type CatalogObject,
  catalogOf,
  renamedByTable,
  schemaOf,
} from "./catalog.ts";
import type { Effect } from "./effect.ts";
import { partsOf } from "./predicate.ts";
import { countParts } from "./predicate_index.ts";
import { storageOf } from "./predicate_storage.ts";
import type { ObjectName } from "./reader.ts";
import type { ServerKind } from "./server.ts";

/** What was there before, an item an effect; `null` where nothing has to be known, or is known. */
export type Facts = readonly (string | null)[];

/** What was noted before a statement was sent. */
export interface Noted {
  /** What was there before; `null` where nothing had to be known. */
  readonly facts: Facts | null;
  /** Whether the catalog held each effect, where there are several; `null`: it can't be told. */
  readonly held?: readonly (boolean | null)[];
}

/** Objects that a schema holds, and that a statement can name without it. */
const IN_SCHEMAS: readonly string[] = [
  ...["table", "view", "sequence", "type", "index"],
];

/** An object that is to go, named without its schema: afterwards the name may mean another one. */
function unplaced(
  effect: Effect,
  kind: ServerKind,
): { object: CatalogObject; name: ObjectName } | undefined {
  if (effect.type === "rename") {
    const { object, of, from: name } = effect;
    if (of !== undefined || !IN_SCHEMAS.includes(object)) return undefined;
    if (object === "table") return { object: renamedByTable(kind), name };
    return { object: object === "view" ? "any-view" : object as "index", name };
  }
  if (!("present" in effect) || effect.present) return undefined;
  switch (effect.type) {
    case "table":
    case "sequence":
    case "type":
      return { object: effect.type, name: effect.name };
    case "view":
      return {
        object: effect.materialized ? "materialized-view" : "view",
        name: effect.name,
      };
    case "index":
      return effect.table === undefined && effect.name !== undefined
        ? { object: "index", name: effect.name }
        : undefined;
  }
}

function factOf(
  effect: Effect,
  effects: readonly Effect[],
  kind: ServerKind,
): string | undefined {
  const catalog = catalogOf(effect, kind);
  if (catalog === undefined) return undefined;
  if (effect.type === "truncation" || effect.type === "restart") {
    return storageOf(effect, catalog);
  }
  const place = unplaced(effect, kind);
  if (place === undefined) return countParts(effect, effects, catalog);
  const { object, name } = place;
  return name.length > 1 ? undefined : schemaOf(object, name, catalog);
}

/**
 * Makes an expression for what has to be known before a statement with these effects is sent.
 *
 * @returns The expression, whose value {@linkcode readFacts} reads; `undefined` where nothing has to.
 */
export function factsOf(
  effects: readonly Effect[],
  kind: ServerKind,
): string | undefined {
  const facts = effects.map((effect) => factOf(effect, effects, kind));
  const array = arrayOf(facts, "NULL::TEXT");
  const held = effects.length > 1 ? partsOf(effects, kind) : [];
  if (held.some((part) => part !== undefined)) {
    const object = `jsonb_build_object('facts', ${array}, 'held', ${
      arrayOf(held, "NULL::BOOL")
    })`;
    return apart(`${object}::TEXT`, kind);
  }
  if (facts.every((fact) => fact === undefined)) return undefined;
  return apart(`${array}::TEXT`, kind);
}

function arrayOf(
  items: readonly (string | undefined)[],
  absent: string,
): string {
  return `jsonb_build_array(${items.map((item) => item ?? absent).join(", ")})`;
}

/** Reads the value of {@linkcode factsOf}: of a single effect, it is the array of facts alone. */
export function readFacts(value: string | null): Noted {
  if (value === null) return { facts: null };
  const noted: Noted | Facts = JSON.parse(value);
  return "facts" in noted ? noted : { facts: noted };
}

/**
 * Says of each effect whether the catalog held it before.
 *
 * @param effects The effects, as {@linkcode withFacts} gives them.
 * @param intent What was noted.
 */
export function heldBefore(
  effects: readonly Effect[],
  { before, held }: Pick<Noted, "held"> & { readonly before: boolean | null },
): (boolean | null)[] {
  return effects.map((effect, index) => {
    const isCounted = effect.type === "index" || effect.type === "constraint";
    // There weren't more than there were.
    if (isCounted && effect.before !== undefined) return false;
    return held === undefined ? before : held[index] ?? null;
  });
}

/** Puts what was known before into the effects. */
export function withFacts(
  effects: readonly Effect[],
  facts: Facts | null,
): Effect[] {
  return effects.map((effect, index) => {
    if (facts === null) return effect;
    const fact = facts[index] ?? null;
    if (fact !== null) return withFact(effect, fact);
    // What has no storage of its own can't tell by it.
    const isStored = effect.type === "truncation" || effect.type === "restart";
    return isStored ? { ...effect, before: null } : effect;
  });
}

function withFact(effect: Effect, fact: string): Effect {
  switch (effect.type) {
    case "truncation":
    case "restart":
      return { ...effect, before: fact };
    case "rename": {
      const { from, to } = effect;
      return {
        ...effect,
        from: [fact, ...from],
        to: to.length > 1 ? to : [fact, ...to],
      };
    }
    case "constraint":
      return { ...effect, before: fact };
    case "index":
      return effect.present
        ? { ...effect, before: fact }
        : { ...effect, name: [fact, ...effect.name!] };
    case "table":
    case "view":
    case "sequence":
    case "type":
      return { ...effect, name: [fact, ...effect.name] };
  }
  return effect;
}
