/**
 * Values as text, as they cross the driver's seam, to JavaScript; the way back is in
 * `arguments.ts`. Pure, and the same for every driver and in every time zone: what is decoded here
 * can be an argument again.
 *
 * @module
 */

import { getTypeParser } from "pg-types";
import { parse as parseArray } from "postgres-array";
import type { Column, TextRow } from "../driver/driver.ts";
import { ConfigError } from "../errors.ts";
import { jsonText } from "./json_text.ts";
import { toDate, toInstant, toPlainDateTime } from "./timestamps.ts";
import { ARRAY_OIDS, TEXT_OID, TYPE_OIDS, unpadded } from "./type_oids.ts";

export { encodeArguments, json, JsonValue } from "./arguments.ts";

/** How values are decoded where there is a choice. */
export interface ValueOptions {
  /**
   * What an INT8 becomes: `"auto"` is a number where that is exact and a bigint elsewhere,
   * `"bigint"` always a bigint, `"string"` the server's text.
   */
  readonly int8: "auto" | "bigint" | "string";
  /**
   * What TIMESTAMP and TIMESTAMPTZ become: `"date"` is a `Date`, to the millisecond; `"temporal"` a
   * `Temporal.PlainDateTime` and a `Temporal.Instant`, to the microsecond; `"string"` the server's
   * text. With the first two, the server's infinities are the numbers `Infinity` and `-Infinity`.
   */
  readonly timestamps: "date" | "temporal" | "string";
  /**
   * Array types that are made in a database, such as those of enums: the OID of the array (in
   * `pg_type.typarray`) to the OID of its elements. Those not named here stay strings.
   */
  readonly arrayOids?: ReadonlyMap<number, number>;
}

/** What is known of the types of results. */
export interface ResultTypes {
  /** How values are decoded. */
  readonly values: ValueOptions;
  /** Says whether a result has types of which nothing is known yet. */
  lacks(columns: readonly Column[]): boolean;
}

/** Makes a JavaScript value of a server's text; never called for NULL. */
type Decoder = (text: string) => unknown;

/** A parser of `pg-types`; those taken from there don't depend on the zone and lose nothing. */
function libraryParser(oid: number): Decoder {
  return getTypeParser(oid);
}

/** Refuses what a number parser quietly makes NaN of. */
function numberDecoder(oid: number): Decoder {
  const parse = libraryParser(oid);
  return (text) => {
    const number = parse(text);
    if (!Number.isNaN(number) || text === "NaN") return number;
    // In arrays CockroachDB writes infinities in Go's way.
    if (text === "+Inf") return Infinity;
    if (text === "-Inf") return -Infinity;
    throw new TypeError("the text is not a number");
  };
}

function decodeBool(text: string): boolean {
  if (text === "t") return true;
  if (text === "f") return false;
  throw new TypeError("the text is neither t nor f");
}

const parseBytea = libraryParser(TYPE_OIDS.bytea) as (
  text: string,
) => Uint8Array;

function decodeBytes(text: string): Uint8Array {
  const bytes = parseBytea(text);
  if (text.startsWith("\\x") && bytes.length !== (text.length - 2) / 2) {
    throw new TypeError("the text is not hexadecimal");
  }
  // A copy: the library's is a Buffer, which may be a view of memory shared with others.
  return new Uint8Array(bytes);
}

function decodeJson(text: string): unknown {
  return JSON.parse(jsonText(text));
}

/** In arrays CockroachDB writes `+02` as `+02:00:00`. */
function decodeTimetz(text: string): string {
  return text.replace(/([+-]\d\d:\d\d):00$/, "$1").replace(
    /([+-]\d\d):00$/,
    "$1",
  );
}

function decodeInt8Auto(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

const INT8_DECODERS: Record<ValueOptions["int8"], Decoder | undefined> = {
  auto: decodeInt8Auto,
  bigint: BigInt,
  string: undefined,
};

const TIMESTAMP_DECODERS: Record<
  ValueOptions["timestamps"],
  { local?: Decoder; zoned?: Decoder }
> = {
  date: { local: toDate, zoned: toDate },
  temporal: { local: toPlainDateTime, zoned: toInstant },
  string: {},
};

const FIXED_DECODERS: ReadonlyMap<number, Decoder> = new Map([
  [TYPE_OIDS.bool, decodeBool],
  [TYPE_OIDS.bytea, decodeBytes],
  [TYPE_OIDS.int2, numberDecoder(TYPE_OIDS.int2)],
  [TYPE_OIDS.int4, numberDecoder(TYPE_OIDS.int4)],
  [TYPE_OIDS.oid, numberDecoder(TYPE_OIDS.oid)],
  [TYPE_OIDS.float4, numberDecoder(TYPE_OIDS.float4)],
  [TYPE_OIDS.float8, numberDecoder(TYPE_OIDS.float8)],
  [TYPE_OIDS.bpchar, unpadded],
  [TYPE_OIDS.timetz, decodeTimetz],
  [TYPE_OIDS.json, decodeJson],
  [TYPE_OIDS.jsonb, decodeJson],
] as [number, Decoder][]);

const TYPE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries({ ...TYPE_OIDS, text: TEXT_OID }).map((
    [name, oid],
  ) => [oid, name]),
);

function elementOid(oid: number, options: ValueOptions): number | undefined {
  return ARRAY_OIDS.get(oid) ?? options.arrayOids?.get(oid);
}

function typeName(oid: number, options: ValueOptions): string {
  const element = elementOid(oid, options);
  if (element !== undefined) return `${typeName(element, options)}[]`;
  return TYPE_NAMES.get(oid) ?? `type ${oid}`;
}

/** The decoder of a type, or `undefined` where its text is its value. */
function decoderOf(oid: number, options: ValueOptions): Decoder | undefined {
  switch (oid) {
    case TYPE_OIDS.int8:
      return choice(INT8_DECODERS, "int8", options.int8);
    case TYPE_OIDS.timestamp:
      return choice(TIMESTAMP_DECODERS, "timestamps", options.timestamps).local;
    case TYPE_OIDS.timestamptz:
      return choice(TIMESTAMP_DECODERS, "timestamps", options.timestamps).zoned;
  }
  const element = elementOid(oid, options);
  if (element === undefined) return FIXED_DECODERS.get(oid);
  const decode = decoderOf(element, options);
  return decode === undefined
    ? (text) => parseArray(text)
    : (text) => parseArray(text, decode);
}

/** Looks an option up, for callers whom no compiler has checked. */
function choice<T>(table: Record<string, T>, name: string, value: string): T {
  if (Object.hasOwn(table, value)) return table[value];
  const known = Object.keys(table).map((key) => `"${key}"`).join(", ");
  throw new ConfigError(
    `Cannot use ${name} "${value}": unknown value; give one of ${known}`,
  );
}

const asText: Decoder = (text) => text;

/**
 * Gives a decoder for each column of a result. A decoder takes the server's text and is not to be
 * called for NULL.
 *
 * @example
 * ```ts
 * import { decoders } from "./values.ts";
 *
 * const [decode] = decoders([{ name: "id", typeOid: 20 }], {
 *   int8: "auto",
 *   timestamps: "date",
 * });
 * decode("9223372036854775807"); // 9223372036854775807n
 * ```
 *
 * @param columns The result's columns.
 * @param options What INT8 and timestamps become.
 * @returns A function a column, in the columns' order; it throws a `TypeError` that names the column and its type where it can't decode a text.
 * @throws {ConfigError} Where an option has an unknown value.
 */
export function decoders(
  columns: readonly Column[],
  options: ValueOptions,
): ((text: string) => unknown)[] {
  return columns.map((column) => {
    const decode = decoderOf(column.typeOid, options);
    if (decode === undefined) return asText;
    return (text) => {
      try {
        return decode(text);
      } catch (cause) {
        throw decodeError(column, options, cause);
      }
    };
  });
}

function decodeError(
  { name, typeOid }: Column,
  options: ValueOptions,
  cause: unknown,
): TypeError {
  const type = typeName(typeOid, options);
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TypeError(`Cannot decode column "${name}" (${type}): ${reason}`, {
    cause,
  });
}

/** Makes objects of a result's rows. */
class RowDecoder {
  readonly #columns: readonly Column[];
  readonly #options: ValueOptions;
  readonly #names: readonly string[];
  readonly #decode: readonly (Decoder | undefined)[];
  readonly #blank: Record<string, unknown>;

  constructor(columns: readonly Column[], options: ValueOptions) {
    this.#columns = columns;
    this.#options = options;
    this.#names = columns.map(({ name }) => name);
    this.#decode = columns.map(({ typeOid }) => decoderOf(typeOid, options));
    // Own properties from the start: all rows have one hidden class, and `__proto__` is a plain name.
    this.#blank = Object.fromEntries(this.#names.map((name) => [name, null]));
  }

  isFor(options: ValueOptions): boolean {
    return this.#options === options;
  }

  decode(rows: readonly TextRow[]): Record<string, unknown>[] {
    const names = this.#names;
    const decode = this.#decode;
    const blank = this.#blank;
    const objects: Record<string, unknown>[] = new Array(rows.length);
    let column = 0;
    try {
      for (let index = 0; index < rows.length; index++) {
        const row = rows[index];
        const object = { ...blank };
        for (column = 0; column < names.length; column++) {
          const text = row[column];
          const decodeText = decode[column];
          object[names[column]] = text === null || decodeText === undefined
            ? text
            : decodeText(text);
        }
        objects[index] = object;
      }
    } catch (cause) {
      throw decodeError(this.#columns[column], this.#options, cause);
    }
    return objects;
  }
}

/** A statement that is run again has the same columns, and its rows are decoded in the same way. */
const rowDecoders = new WeakMap<readonly Column[], RowDecoder>();

/**
 * Makes an object of each row, with a property a column. Of several columns with one name the last
 * one's value is kept: give them aliases in the statement to have all of them.
 *
 * @param columns The result's columns; not to be changed afterwards.
 * @param rows The rows as the server sent them.
 * @param options What INT8 and timestamps become; not to be changed afterwards.
 * @returns The rows as objects; NULL is `null`.
 * @throws {TypeError} Where a value can't be decoded; the column and its type are named.
 * @throws {ConfigError} Where an option has an unknown value.
 */
export function decodeRows(
  columns: readonly Column[],
  rows: readonly TextRow[],
  options: ValueOptions,
): Record<string, unknown>[] {
  let decoder = rowDecoders.get(columns);
  if (decoder === undefined || !decoder.isFor(options)) {
    decoder = new RowDecoder(columns, options);
    rowDecoders.set(columns, decoder);
  }
  return decoder.decode(rows);
}
