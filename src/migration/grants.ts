/**
 * The outcome of COMMENT ON, GRANT and REVOKE. All three state how something is to be, so that a
 * second run is harmless even where their effects can't be told.
 *
 * @module
 */

import { type Effect, HARMLESS, type Outcome } from "./effect.ts";
import { NAMED_OBJECTS } from "./head.ts";
import type { Reader } from "./reader.ts";

type Comment = Extract<Effect, { type: "comment" }>;
type Grant = Extract<Effect, { type: "grant" }>;

/** The objects of a grant whose privileges are looked up. */
const GRANT_OBJECTS: Readonly<Record<string, Grant["on"]>> = {
  "TABLE": "table",
  "SEQUENCE": "sequence",
  "SCHEMA": "schema",
  "DATABASE": "database",
  "TYPE": "type",
};

/** The objects of a grant whose privileges are not looked up. */
const OTHER_OBJECTS = [
  "ALL",
  "DOMAIN",
  "EXTERNAL",
  "FOREIGN",
  "FUNCTION",
  "LANGUAGE",
  "LARGE",
  "PARAMETER",
  "PROCEDURE",
  "ROUTINE",
  "TABLESPACE",
];

function commented(
  reader: Reader,
): Pick<Comment, "object" | "name" | "part"> | undefined {
  const words = reader.takeOne(
    "COLUMN",
    "CONSTRAINT",
    "INDEX",
    ...Object.keys(NAMED_OBJECTS),
  );
  if (words === undefined) return undefined;
  if (words === "CONSTRAINT") {
    const part = reader.identifier();
    const name = reader.take("ON") ? reader.name() : undefined;
    return name && { object: "constraint", name, part };
  }
  const name = reader.name(words === "COLUMN" ? 4 : 3);
  if (name === undefined) return undefined;
  if (words === "COLUMN") {
    return { object: "column", name: name.slice(0, -1), part: name.at(-1) };
  }
  if (words !== "INDEX") return { object: NAMED_OBJECTS[words], name };
  const part = reader.take("@") ? reader.identifier() : undefined;
  return { object: "index", name, part };
}

/**
 * Reads what follows `COMMENT ON`.
 *
 * @param reader The cursor, after `COMMENT ON`.
 * @returns The statement's outcome.
 */
export function commentOn(reader: Reader): Outcome {
  const target = commented(reader);
  if (target === undefined || !reader.take("IS")) return HARMLESS;
  const text = reader.take("NULL") ? null : reader.string();
  if (text === undefined) return HARMLESS;
  return { effects: [{ type: "comment", ...target, text }], idempotent: true };
}

/** A privilege, in upper case, or a role's name; `undefined` for privileges on columns. */
function readPrivilege(reader: Reader): string | undefined {
  const words: string[] = [];
  while (reader.next.kind === "word" || reader.next.kind === "identifier") {
    if (["ON", "TO", "FROM"].includes(reader.next.word)) break;
    words.push(reader.identifier() ?? "");
  }
  return words.length > 0 ? words.join(" ") : undefined;
}

function readGrant(reader: Reader, granted: boolean): Grant | undefined {
  const names = reader.list(() => readPrivilege(reader));
  if (names === undefined) return undefined;
  let on: Grant["on"] = "role";
  let objects: Grant["objects"] | undefined = [];
  if (reader.take("ON")) {
    if (OTHER_OBJECTS.includes(reader.next.word)) return undefined;
    const object = reader.takeOne(...Object.keys(GRANT_OBJECTS)) ?? "TABLE";
    on = GRANT_OBJECTS[object];
    objects = reader.list(() => reader.name());
  } else if (names.some((name) => name.startsWith("system "))) {
    return undefined;
  }
  if (objects === undefined || !reader.take(granted ? "TO" : "FROM")) {
    return undefined;
  }
  const to = reader.list(() => {
    reader.take("GROUP");
    return reader.role();
  });
  if (to === undefined) return undefined;
  const privileges = on === "role"
    ? names
    : names.map((name) =>
      name.toUpperCase().replace(/^ALL PRIVILEGES$/, "ALL")
    );
  return { type: "grant", privileges, on, objects, to, granted };
}

/**
 * Reads what follows `GRANT`.
 *
 * @param reader The cursor, after `GRANT`.
 * @returns The statement's outcome.
 */
export function grant(reader: Reader): Outcome {
  const effect = readGrant(reader, true);
  return effect === undefined
    ? HARMLESS
    : { effects: [effect], idempotent: true };
}

/**
 * Reads what follows `REVOKE`.
 *
 * @param reader The cursor, after `REVOKE`.
 * @returns The statement's outcome.
 */
export function revoke(reader: Reader): Outcome {
  // The option alone goes: the privilege stays.
  if (reader.sees("GRANT OPTION FOR") || reader.sees("ADMIN OPTION FOR")) {
    return HARMLESS;
  }
  const effect = readGrant(reader, false);
  return effect === undefined
    ? HARMLESS
    : { effects: [effect], idempotent: true };
}
