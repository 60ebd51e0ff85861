/**
 * The OIDs of the built-in types that are decoded to something other than text, and of the arrays
 * of built-in types. PostgreSQL's never change, and CockroachDB has the same ones.
 *
 * Source: {@link https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat}
 *
 * @module
 */

/** The OIDs of types that are decoded, by the server's own name for them. */
export const TYPE_OIDS = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  oid: 26,
  json: 114,
  float4: 700,
  float8: 701,
  bpchar: 1042,
  timestamp: 1114,
  timestamptz: 1184,
  timetz: 1266,
  jsonb: 3802,
} as const;

/** https://www.postgresql.org/docs/current/system-catalog-initial-data.html#SYSTEM-CATALOG-OID-ASSIGNMENT */
export const FIRST_USER_OID = 16_384;

/** The OID of text, the type of the elements that stay strings. */
export const TEXT_OID = 25;

/** Arrays whose elements stay strings. `box[]`, which `;` separates, stays a string as a whole. */
// deno-fmt-ignore
const TEXT_ARRAYS: readonly number[] = [
  143, 271, 629, 651, 719, 775, 791, 1002, 1003, 1006, 1008, 1009, 1010, 1011, 1012, 1013,
  1015, 1017, 1018, 1019, 1027, 1034, 1040, 1041, 1182, 1183, 1187, 1231, 1561, 1563, 2201,
  2207, 2208, 2209, 2210, 2211, 2949, 2951, 3221, 3643, 3645, 3735, 3770, 3905, 3907, 3909, 3911,
  3913, 3927, 4073, 4090, 4097, 4192, 5039,
  // CockroachDB's geometry[], geography[], box2d[] and vector[].
  90001, 90003, 90005, 90007,
];

/** The OID of an array to the OID of its elements. */
export const ARRAY_OIDS: ReadonlyMap<number, number> = new Map([
  ...TEXT_ARRAYS.map((oid): [number, number] => [oid, TEXT_OID]),
  [1000, TYPE_OIDS.bool],
  [1001, TYPE_OIDS.bytea],
  [1016, TYPE_OIDS.int8],
  [1005, TYPE_OIDS.int2],
  [1007, TYPE_OIDS.int4],
  [1028, TYPE_OIDS.oid],
  [199, TYPE_OIDS.json],
  [1021, TYPE_OIDS.float4],
  [1022, TYPE_OIDS.float8],
  [1014, TYPE_OIDS.bpchar],
  [1115, TYPE_OIDS.timestamp],
  [1185, TYPE_OIDS.timestamptz],
  [1270, TYPE_OIDS.timetz],
  [3807, TYPE_OIDS.jsonb],
]);

/**
 * The text of a CHAR(n) without the blanks that fill it up. Neither server counts them where it compares,
 * and CockroachDB adds them in its answers alone: with them it would not find the row again.
 */
export function unpadded(text: string): string {
  let end = text.length;
  while (text[end - 1] === " ") end--;
  return text.slice(0, end);
}
