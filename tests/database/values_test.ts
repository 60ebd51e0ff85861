/**
 * What the server's text becomes in JavaScript; timestamps have a file of their own.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { decodeRows } from "../../src/database/values.ts";
import { ConfigError } from "../../src/errors.ts";
import { decode, OPTIONS } from "../support/values.ts";

Deno.test("decoders() decode scalars by OID", () => {
  const cases: [number, string, unknown][] = [
    [16, "t", true],
    [16, "f", false],
    [18, "x", "x"],
    [19, "name", "name"],
    [21, "-32768", -32768],
    [23, "2147483647", 2147483647],
    [25, "", ""],
    [25, "text", "text"],
    [26, "4294967295", 4294967295],
    [28, "7", "7"],
    [700, "1.5", 1.5],
    [701, "NaN", NaN],
    [701, "Infinity", Infinity],
    [701, "-Infinity", -Infinity],
    [701, "-0", -0],
    [701, "5e-324", 5e-324],
    [701, "1.7976931348623157e+308", Number.MAX_VALUE],
    [114, '{"a": [1, null]}', { a: [1, null] }],
    [3802, "null", null],
    [3802, '"text"', "text"],
    [869, "10.0.0.0/8", "10.0.0.0/8"],
    [1042, " a\tb\t   ", " a\tb\t"],
    [1042, "   ", ""],
    [1043, "2026-01-01", "2026-01-01"],
    [1043, "a  ", "a  "],
    [1082, "2026-01-31", "2026-01-31"],
    [1082, "0044-03-15 BC", "0044-03-15 BC"],
    [1082, "infinity", "infinity"],
    [1083, "24:00:00", "24:00:00"],
    [1186, "1 day 02:00:00", "1 day 02:00:00"],
    [1266, "12:00:00+02", "12:00:00+02"],
    [1560, "0101", "0101"],
    [1562, "01", "01"],
    [
      1700,
      "123456789012345678901234567890.10",
      "123456789012345678901234567890.10",
    ],
    [
      2950,
      "3b1f8b7e-0000-4000-8000-000000000000",
      "3b1f8b7e-0000-4000-8000-000000000000",
    ],
    [600, "(1,2)", "(1,2)"],
    [3904, "[1,5)", "[1,5)"],
    [90006, "[1,2,3]", "[1,2,3]"],
    [100_123, "an enum's label", "an enum's label"],
  ];
  for (const [oid, text, value] of cases) {
    assertEquals(decode(oid, text), value, `${oid} ${text}`);
  }
});

Deno.test("decoders() make of INT8 what the option says", () => {
  const texts = [
    "0",
    "-1",
    "9007199254740991",
    "9007199254740992",
    "-9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
  ];
  assertEquals(texts.map((text) => decode(20, text)), [
    0,
    -1,
    9007199254740991,
    9007199254740992n,
    -9007199254740993n,
    9223372036854775807n,
    -9223372036854775808n,
  ]);
  assertEquals(
    texts.map((text) => decode(20, text, { int8: "bigint" })),
    texts.map(BigInt),
  );
  assertEquals(
    texts.map((text) => decode(20, text, { int8: "string" })),
    texts,
  );
});

Deno.test("decoders() give bytes as a Uint8Array of its own memory", () => {
  const cases: [string, number[]][] = [
    ["\\x", []],
    ["\\x00ff5c", [0, 255, 92]],
    ["", []],
    ["a\\\\b\\000\\377", [97, 92, 98, 0, 255]],
  ];
  for (const [text, expected] of cases) {
    const bytes = decode(17, text);
    assertInstanceOf(bytes, Uint8Array);
    assert(!Buffer.isBuffer(bytes));
    assertEquals([...bytes], expected);
    assertEquals(bytes.buffer.byteLength, expected.length);
  }
});

Deno.test("decoders() decode arrays of every kind", () => {
  const cases: [number, string, unknown][] = [
    [1000, "{t,f,NULL}", [true, false, null]],
    [1001, '{"\\\\x00ff","\\\\x",NULL}', [
      new Uint8Array([0, 255]),
      new Uint8Array(),
      null,
    ]],
    [1005, "{-1,2}", [-1, 2]],
    [1007, "{}", []],
    [1007, "{{1,2},{3,NULL}}", [[1, 2], [3, null]]],
    [1007, "[0:1]={5,6}", [5, 6]],
    [1007, "[-1:0][2:3]={{1,2},{3,4}}", [[1, 2], [3, 4]]],
    [1016, "{1,9223372036854775807}", [1, 9223372036854775807n]],
    [1028, "{26}", [26]],
    [1022, "{NaN,-Infinity,1.5}", [NaN, -Infinity, 1.5]],
    [1009, '{a,"",NULL,"NULL","a b","q\\"\\\\","{,}"}', [
      "a",
      "",
      null,
      "NULL",
      "a b",
      'q"\\',
      "{,}",
    ]],
    [1014, '{"a  ",NULL}', ["a", null]],
    [1015, '{"a  "}', ["a  "]],
    [1231, "{1.50,NaN}", ["1.50", "NaN"]],
    [1182, "{2026-01-31}", ["2026-01-31"]],
    [1187, '{"1 day"}', ["1 day"]],
    [1115, '{"2026-01-01 00:00:00",infinity}', [
      new Date("2026-01-01T00:00:00Z"),
      Infinity,
    ]],
    [1185, '{"2025-12-31 19:00:00-05",NULL}', [
      new Date("2026-01-01T00:00:00Z"),
      null,
    ]],
    [3807, '{"{\\"a\\": [1]}","null",NULL}', [{ a: [1] }, null, null]],
    [2951, "{3b1f8b7e-0000-4000-8000-000000000000}", [
      "3b1f8b7e-0000-4000-8000-000000000000",
    ]],
    [90007, '{"[1,2]"}', ["[1,2]"]],
    [1020, "{(1,1),(0,0);(2,2),(1,1)}", "{(1,1),(0,0);(2,2),(1,1)}"],
    [100_124, "{a,b}", "{a,b}"],
  ];
  for (const [oid, text, value] of cases) {
    assertEquals(decode(oid, text), value, text);
  }
});

Deno.test("decoders() decode arrays that only the server's catalog knows", () => {
  const arrayOids = new Map([[100_124, 100_123]]);
  assertEquals(decode(100_124, '{a,NULL,"b c"}', { arrayOids }), [
    "a",
    null,
    "b c",
  ]);
});

Deno.test("decoders() name column and type where a text can't be decoded", () => {
  const cases: [number, string, string][] = [
    [16, "maybe", '"c" (bool): the text is neither t nor f'],
    [17, "\\xzz", '"c" (bytea): the text is not hexadecimal'],
    [20, "many", '"c" (int8): Cannot convert many to a BigInt'],
    [23, "many", '"c" (int4): the text is not a number'],
    [701, "", '"c" (float8): the text is not a number'],
    [
      1114,
      "01/02/2026 00:00:00",
      '"c" (timestamp): the text is not an ISO timestamp; set the session\'s DateStyle to ISO',
    ],
    [
      1184,
      "Thu Jan 01 00:00:00 2026 UTC",
      '"c" (timestamptz): the text is not an ISO timestamp; set the session\'s DateStyle to ISO',
    ],
    [
      1114,
      "294276-12-31 23:59:59",
      '"c" (timestamp): the value is beyond what a Date can hold; use timestamps: "string"',
    ],
    [1007, "{1,x}", '"c" (int4[]): the text is not a number'],
    [1009, "a", '"c" (text[]): Invalid array text - must end with }'],
  ];
  for (const [oid, text, message] of cases) {
    const error = assertThrows(() => decode(oid, text), TypeError);
    assertEquals(error.message, `Cannot decode column ${message}`);
    assertInstanceOf(error.cause, Error);
  }
  assertThrows(
    () => decode(3802, "{"),
    TypeError,
    'Cannot decode column "c" (jsonb): ',
  );
});

Deno.test("decoders() refuse an unknown option", () => {
  assertEquals(
    assertThrows(
      () => decode(20, "1", { int8: "number" as "auto" }),
      ConfigError,
    ).message,
    'Cannot use int8 "number": unknown value; give one of "auto", "bigint", "string"',
  );
  assertEquals(
    assertThrows(
      () => decode(1115, "{}", { timestamps: "toString" as "date" }),
      ConfigError,
    ).message,
    'Cannot use timestamps "toString": unknown value; give one of "date", "temporal", "string"',
  );
});

Deno.test("decodeRows() makes plain objects, with null for NULL", () => {
  const columns = [{ name: "id", typeOid: 23 }, { name: "note", typeOid: 25 }];
  const rows = decodeRows(columns, [["1", null], ["2", "b"]], OPTIONS);
  assertEquals(rows, [{ id: 1, note: null }, { id: 2, note: "b" }]);
  assertStrictEquals(Object.getPrototypeOf(rows[0]), Object.prototype);
  assertEquals(Object.keys(rows[1]), ["id", "note"]);
  assertEquals(decodeRows(columns, [], OPTIONS), []);
  assertEquals(decodeRows([], [[]], OPTIONS), [{}]);
});

Deno.test("decodeRows() keeps the last of two columns of one name", () => {
  const columns = [{ name: "id", typeOid: 23 }, { name: "id", typeOid: 25 }];
  assertEquals(decodeRows(columns, [["1", "x"], ["2", null]], OPTIONS), [
    { id: "x" },
    { id: null },
  ]);
});

Deno.test("decodeRows() takes __proto__ as a name like any other", () => {
  const columns = [
    { name: "__proto__", typeOid: 3802 },
    { name: "constructor", typeOid: 25 },
  ];
  const [row] = decodeRows(columns, [['{"polluted": true}', "c"]], OPTIONS);
  assertStrictEquals(Object.getPrototypeOf(row), Object.prototype);
  assertEquals(Object.entries(row), [
    ["__proto__", { polluted: true }],
    ["constructor", "c"],
  ]);
  assertEquals("polluted" in row, false);
});
