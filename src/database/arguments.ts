/**
 * JavaScript values as the text that the arguments of a statement are sent in. Pure, and the same
 * for every driver and in every time zone; the way back is in `values.ts`.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { fromDate, fromIso } from "./timestamps.ts";

/** A value that is sent as JSON whatever its shape. Made by {@linkcode json}. */
export class JsonValue {
  /** The value to be sent as JSON. */
  readonly value: unknown;

  /**
   * Marks a value.
   *
   * @param value Anything that `JSON.stringify` takes.
   */
  constructor(value: unknown) {
    this.value = value;
  }

  /**
   * What `JSON.stringify` makes of a marked value inside another.
   *
   * @returns The value.
   */
  toJSON(): unknown {
    return this.value;
  }
}

/**
 * Marks a value as JSON whatever its shape: an array that is not an SQL array, a string or number
 * that is a JSON document, or JSON's `null`, which is not SQL's.
 *
 * @example
 * ```ts ignore
 * await db.insert("events", { tags: json(["a", "b"]), note: json(null) });
 * ```
 *
 * @param value Anything that `JSON.stringify` takes.
 * @returns The value, marked, to be an argument.
 */
export function json(value: unknown): JsonValue {
  return value instanceof JsonValue ? value : new JsonValue(value);
}

/** What `[object …]` says: also right for values of another realm and of a Temporal polyfill. */
function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function dateText(date: Date): string {
  if (Number.isNaN(date.getTime())) {
    throw new TypeError(
      "an invalid Date has no SQL form; check where it is made",
    );
  }
  return fromDate(date);
}

/** PostgreSQL reads a sign before each number of an ISO 8601 duration, and none before the P. */
function durationText(iso: string): string {
  if (!iso.startsWith("-")) return iso;
  return iso.slice(1).replace(/\d+(\.\d+)?/g, "-$&");
}

function bytesText(value: object): string {
  const bytes = ArrayBuffer.isView(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : Buffer.from(value as ArrayBuffer);
  return "\\x" + bytes.toString("hex");
}

function jsonText(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TypeError(
      `JSON.stringify refused it (${reason}); give a value that JSON can hold`,
      { cause },
    );
  }
  if (text === undefined) {
    throw new TypeError(
      "JSON has no form for it; give a value that JSON can hold",
    );
  }
  if (SURROGATE.test(text) && hasHalfPair(text)) throw halfPairError();
  return text;
}

/** What may be the escape of a surrogate; few texts have any, so the rest needn't be read. */
const SURROGATE = /\\ud[89a-f]/i;

/** Every escape, so that an escaped backslash isn't taken for the start of one; pairs as a whole. */
const ESCAPES =
  /\\(?:ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|(ud[89a-f])|[^])/gi;

/** JSON.stringify() escapes half a pair, which CockroachDB would replace in silence. */
function hasHalfPair(json: string): boolean {
  for (const [, half] of json.matchAll(ESCAPES)) {
    if (half !== undefined) return true;
  }
  return false;
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function objectText(value: object): string {
  if (value instanceof JsonValue) return jsonText(value);
  if (value instanceof Date) return dateText(value);
  if (ArrayBuffer.isView(value)) return bytesText(value);
  const tag = tagOf(value);
  switch (tag) {
    case "ArrayBuffer":
    case "SharedArrayBuffer":
      return bytesText(value);
    case "Temporal.Instant":
    case "Temporal.PlainDateTime":
    case "Temporal.PlainDate":
    case "Temporal.PlainTime":
      return fromIso(String(value));
    case "Temporal.ZonedDateTime":
      return fromIso(String((value as Temporal.ZonedDateTime).toInstant()));
    case "Temporal.Duration":
      return durationText(String(value));
  }
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return jsonText(value);
  }
  if (isPlain(value)) return jsonText(value);
  const name = value.constructor?.name || tag;
  throw new TypeError(
    `an instance of ${name} has no SQL form; give an array, a plain object or json(…) of its content`,
  );
}

/** The text of anything but `null` and arrays. */
function scalarText(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return numberText(value);
    case "boolean":
    case "bigint":
      return String(value);
    case "object":
      return objectText(value as object);
    case "undefined":
      throw new TypeError("undefined is no value; give null for NULL");
    default:
      throw new TypeError(`a ${typeof value} has no SQL form; give a value`);
  }
}

/** An SQL array: {@link https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO}. */
function arrayText(values: readonly unknown[]): string {
  let text = "";
  let holdsMore = false;
  // By index, so that a hole is met as undefined.
  for (let index = 0; index < values.length; index++) {
    const element = elementText(values[index]);
    holdsMore ||= element !== "{}";
    text += index === 0 ? element : "," + element;
  }
  // An array of nothing but empty arrays is the empty array: SQL has no dimension of length 0.
  return holdsMore ? `{${text}}` : "{}";
}

function elementText(value: unknown): string {
  switch (typeof value) {
    case "number":
    case "boolean":
    case "bigint":
      return scalarText(value);
  }
  if (value === null) return "NULL";
  if (Array.isArray(value)) return arrayText(value);
  if (value instanceof Date) return `"${dateText(value)}"`;
  const text = scalarText(value);
  return SPECIAL.test(text)
    ? `"${text.replace(/["\\]/g, "\\$&")}"`
    : `"${text}"`;
}

/** What ends a quoted element, or escapes in it. */
const SPECIAL = /["\\]/;

/** Refuses what no server can store as text, or what would be changed on its way. */
function checkText(text: string): string {
  if (text.includes("\0")) {
    throw new TypeError(
      "text with a NUL character can't be stored; remove it, or send bytes",
    );
  }
  if (!text.isWellFormed()) throw halfPairError();
  return text;
}

function halfPairError(): TypeError {
  return new TypeError(
    "text with half a surrogate pair has no UTF-8 form; mend it with toWellFormed(), or send bytes",
  );
}

/**
 * The empty array that is an object of JSON to no server, as `{}` would be in a column of that type.
 * Servers pass over the first character where they read an array.
 */
const EMPTY_ARRAY = "\v{}";

function argumentText(value: unknown): string | null {
  if (value === null) return null;
  if (!Array.isArray(value)) return checkText(scalarText(value));
  const text = arrayText(value);
  return text === "{}" ? EMPTY_ARRAY : checkText(text);
}

/**
 * Makes the text of each argument of a statement.
 *
 * - `null` is NULL; a boolean, number, bigint or string is itself.
 * - A `Date` or `Temporal` value is an ISO timestamp, date, time or interval, in UTC where it is an
 *   instant.
 * - Bytes, as an `ArrayBuffer` or any view of one, are BYTES.
 * - An array is an SQL array.
 * - A plain object, one with `toJSON()`, and anything marked by {@linkcode json} is what
 *   `JSON.stringify` makes of it.
 *
 * @example
 * ```ts
 * import { encodeArguments } from "./arguments.ts";
 *
 * encodeArguments([1, null, ["a", null], { b: true }]); // ["1", null, '{"a",NULL}', '{"b":true}']
 * ```
 *
 * @param values The arguments, in order: the first is `$1`.
 * @returns Their texts; `null` for NULL.
 * @throws {TypeError} For what has no SQL form, such as `undefined`, a function, a symbol, an invalid `Date`, a `Map`, or text with a NUL character; the message names the argument, and never shows its value.
 */
export function encodeArguments(
  values: readonly unknown[],
): (string | null)[] {
  if (!Array.isArray(values)) {
    throw new TypeError(
      "Cannot send the arguments: they are no array; give them as one, and options after it",
    );
  }
  const texts: (string | null)[] = new Array(values.length);
  for (let index = 0; index < values.length; index++) {
    try {
      texts[index] = argumentText(values[index]);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new TypeError(`Cannot send $${index + 1}: ${reason}`, { cause });
    }
  }
  return texts;
}
