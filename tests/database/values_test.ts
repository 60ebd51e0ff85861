import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { Buffer } from "node:buffer";
import {
  decodeRows,
  decoders,
  encodeArguments,
  json,
  JsonValue,
  type ValueOptions,
} from "../../src/database/values.ts";
import { ConfigError } from "../../src/errors.ts";

const OPTIONS: ValueOptions = { int8: "auto", timestamps: "date" };

function decode(
  typeOid: number,
  text: string,
  options: Partial<ValueOptions> = {},
): unknown {
  const [decoder] = decoders([{ name: "c", typeOid }], {
    ...OPTIONS,
    ...options,
  });
  return decoder(text);
}

function encode(value: unknown): string | null {
  return encodeArguments([value])[0];
}

/** Runs a function once in each zone, and proves that the zone was in force. */
function inEachZone(fn: () => void): void {
  const before = Deno.env.get("TZ");
  try {
    for (
      const [zone, offset] of [
        ["UTC", 0],
        ["America/New_York", 300],
        ["Asia/Tokyo", -540],
      ] as const
    ) {
      Deno.env.set("TZ", zone);
      assertEquals(new Date(2026, 0, 1).getTimezoneOffset(), offset);
      fn();
    }
  } finally {
    if (before === undefined) Deno.env.delete("TZ");
    else Deno.env.set("TZ", before);
  }
}

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

Deno.test("decoders() read timestamps as dates, the same in every zone", () => {
  const zoned: [string, string | number][] = [
    ["2026-01-01 00:00:00+00", "2026-01-01T00:00:00.000Z"],
    ["2026-01-01 00:00:00+00:00", "2026-01-01T00:00:00.000Z"],
    ["2025-12-31 19:00:00-05", "2026-01-01T00:00:00.000Z"],
    ["2026-01-01 05:30:00.25+05:30", "2026-01-01T00:00:00.250Z"],
    ["1883-11-18 12:03:57-04:56:02", "1883-11-18T16:59:59.000Z"],
    ["2026-01-01 00:00:00.999999+00", "2026-01-01T00:00:00.999Z"],
    ["1969-12-31 23:59:59.999999+00", "1969-12-31T23:59:59.999Z"],
    ["0001-01-01 00:00:00+00", "0001-01-01T00:00:00.000Z"],
    ["0001-02-29 00:00:00+00 BC", "0000-02-29T00:00:00.000Z"],
    ["0044-03-15 12:00:00.5+00 BC", "-000043-03-15T12:00:00.500Z"],
    ["0044-03-15 12:00:00-04:56:02 BC", "-000043-03-15T16:56:02.000Z"],
    ["9999-12-31 23:59:59.999999+00", "9999-12-31T23:59:59.999Z"],
    ["10000-01-01 00:00:00+00", "+010000-01-01T00:00:00.000Z"],
    ["275760-09-13 00:00:00+00", "+275760-09-13T00:00:00.000Z"],
    ["275760-09-13 09:00:00+09", "+275760-09-13T00:00:00.000Z"],
    ["4714-11-25 00:00:00+00 BC", "-004713-11-25T00:00:00.000Z"],
    ["infinity", Infinity],
    ["-infinity", -Infinity],
  ];
  const local: [string, string | number][] = [
    ["2026-01-01 00:00:00", "2026-01-01T00:00:00.000Z"],
    ["2026-03-08 02:30:00", "2026-03-08T02:30:00.000Z"],
    ["2025-12-31 23:59:59.999999", "2025-12-31T23:59:59.999Z"],
    ["0099-12-31 00:00:00.1", "0099-12-31T00:00:00.100Z"],
    ["0044-03-15 12:00:00 BC", "-000043-03-15T12:00:00.000Z"],
    ["12345-06-07 08:09:10.123456", "+012345-06-07T08:09:10.123Z"],
    ["infinity", Infinity],
    ["-infinity", -Infinity],
  ];
  const comparable = (value: unknown) =>
    value instanceof Date ? value.toISOString() : value;
  inEachZone(() => {
    for (const [text, value] of zoned) {
      assertEquals(comparable(decode(1184, text)), value, text);
    }
    for (const [text, value] of local) {
      assertEquals(comparable(decode(1114, text)), value, text);
    }
  });
});

Deno.test("decoders() take CockroachDB's old form of infinity as infinity", () => {
  assertEquals(decode(1114, "294276-12-31 23:59:59.999999"), Infinity);
  assertEquals(decode(1184, "294276-12-31 23:59:59.999999+00"), Infinity);
  assertEquals(decode(1114, "4714-11-24 00:00:00 BC"), -Infinity);
  assertEquals(decode(1184, "4714-11-24 00:00:00+00 BC"), -Infinity);
  const inArrays = '{"-4713-11-24 00:00:00+00:00:00"}';
  assertEquals(decode(1185, inArrays), [-Infinity]);
});

Deno.test("decoders() keep all digits with temporal", () => {
  const cases: [number, string, string | number][] = [
    [1184, "2026-01-01 05:30:00.123456+05:30", "2026-01-01T00:00:00.123456Z"],
    [1184, "1883-11-18 12:03:57-04:56:02", "1883-11-18T16:59:59Z"],
    [1184, "0044-03-15 12:00:00.5+00 BC", "-000043-03-15T12:00:00.5Z"],
    [1184, "12345-01-01 00:00:00-05", "+012345-01-01T05:00:00Z"],
    [1184, "infinity", Infinity],
    [1114, "2026-01-01 00:00:00.000001", "2026-01-01T00:00:00.000001"],
    [1114, "0001-01-01 00:00:00", "0001-01-01T00:00:00"],
    [1114, "0044-03-15 12:00:00 BC", "-000043-03-15T12:00:00"],
    [1114, "-infinity", -Infinity],
  ];
  inEachZone(() => {
    for (const [oid, text, expected] of cases) {
      const value = decode(oid, text, { timestamps: "temporal" });
      if (typeof expected === "number") {
        assertEquals(value, expected);
        continue;
      }
      assert(
        oid === 1184
          ? value instanceof Temporal.Instant
          : value instanceof Temporal.PlainDateTime,
      );
      assertEquals(String(value), expected);
    }
  });
});

Deno.test("decoders() leave timestamps as the server's text with string", () => {
  for (const text of ["2026-01-01 00:00:00.123456+00", "infinity"]) {
    assertEquals(decode(1184, text, { timestamps: "string" }), text);
    assertEquals(decode(1114, text, { timestamps: "string" }), text);
  }
});

Deno.test("decoders() say so where the runtime has no Temporal", () => {
  const own = Object.getOwnPropertyDescriptor(globalThis, "Temporal")!;
  Reflect.deleteProperty(globalThis, "Temporal");
  try {
    const error = assertThrows(
      () => decode(1184, "2026-01-01 00:00:00+00", { timestamps: "temporal" }),
      TypeError,
    );
    assertEquals(
      error.message,
      'Cannot decode column "c" (timestamptz): this runtime has no Temporal; use timestamps: "date" or "string"',
    );
  } finally {
    Object.defineProperty(globalThis, "Temporal", own);
  }
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

Deno.test("encodeArguments() gives the text of scalars", () => {
  const cases: [unknown, string | null][] = [
    [null, null],
    [true, "true"],
    [false, "false"],
    [0, "0"],
    [-0, "-0"],
    [1.5, "1.5"],
    [1e21, "1e+21"],
    [NaN, "NaN"],
    [Infinity, "Infinity"],
    [-Infinity, "-Infinity"],
    [9223372036854775807n, "9223372036854775807"],
    ["", ""],
    ["NULL", "NULL"],
    ['a"b\\c', 'a"b\\c'],
    ["😀", "😀"],
  ];
  for (const [value, text] of cases) assertEquals(encode(value), text);
});

Deno.test("encodeArguments() gives the text of dates, the same in every zone", () => {
  const cases: [unknown, string][] = [
    [new Date("2026-01-01T00:00:00.5Z"), "2026-01-01T00:00:00.500Z"],
    [new Date("0099-12-31T00:00:00Z"), "0099-12-31T00:00:00.000Z"],
    [new Date("0000-02-29T00:00:00Z"), "0001-02-29T00:00:00.000Z BC"],
    [new Date("-000043-03-15T00:00:00Z"), "0044-03-15T00:00:00.000Z BC"],
    [new Date(8.64e15), "275760-09-13T00:00:00.000Z"],
    [
      Temporal.Instant.from("2026-01-01T00:00:00.123456Z"),
      "2026-01-01T00:00:00.123456Z",
    ],
    [
      Temporal.PlainDateTime.from("+012345-01-01T00:00:00"),
      "12345-01-01T00:00:00",
    ],
    [Temporal.PlainDate.from("-000043-03-15"), "0044-03-15 BC"],
    [Temporal.PlainTime.from("12:34:56.789"), "12:34:56.789"],
    [
      Temporal.ZonedDateTime.from("2026-01-01T09:00+09:00[Asia/Tokyo]"),
      "2026-01-01T00:00:00Z",
    ],
    [Temporal.Duration.from("P1Y2M3DT4H5M6.5S"), "P1Y2M3DT4H5M6.5S"],
    [Temporal.Duration.from("-P1Y2MT6.5S"), "P-1Y-2MT-6.5S"],
  ];
  inEachZone(() => {
    for (const [value, text] of cases) assertEquals(encode(value), text);
  });
});

Deno.test("encodeArguments() gives bytes in hexadecimal, whatever holds them", () => {
  const { buffer } = new Uint8Array([9, 0, 92, 255, 9]);
  assertEquals(encode(new Uint8Array()), "\\x");
  assertEquals(encode(buffer), "\\x09005cff09");
  assertEquals(encode(new Uint8Array(buffer, 1, 3)), "\\x005cff");
  assertEquals(encode(new DataView(buffer, 1, 3)), "\\x005cff");
  assertEquals(encode(Buffer.from("\\")), "\\x5c");
  assertEquals(encode(new SharedArrayBuffer(2)), "\\x0000");
});

Deno.test("encodeArguments() gives JSON of plain objects and of what json() marks", () => {
  const bare = Object.assign(Object.create(null), { a: 1 });
  const cases: [unknown, string][] = [
    [{}, "{}"],
    [{ a: [1, { b: null }] }, '{"a":[1,{"b":null}]}'],
    [bare, '{"a":1}'],
    [new URL("http://localhost/x"), '"http://localhost/x"'],
    [json([1, 2]), "[1,2]"],
    [json(null), "null"],
    [json("text"), '"text"'],
    [json(0), "0"],
    [json(json([1])), "[1]"],
    [{ a: json([1]) }, '{"a":[1]}'],
    [json("\0"), '"\\u0000"'],
  ];
  for (const [value, text] of cases) assertEquals(encode(value), text);
  assertInstanceOf(json(1), JsonValue);
});

Deno.test("encodeArguments() gives SQL arrays", () => {
  const cases: [unknown[], string][] = [
    [[], "\v{}"],
    [[1, -0, NaN, 2n, true, null], "{1,-0,NaN,2,true,NULL}"],
    [["a", "", "NULL", "null", " "], '{"a","","NULL","null"," "}'],
    [['q"', "b\\", "{,}"], '{"q\\"","b\\\\","{,}"}'],
    [[[1, 2], [3, null]], "{{1,2},{3,NULL}}"],
    [[[], []], "\v{}"],
    [[["{}"]], '{{"{}"}}'],
    [[new Uint8Array([0, 92])], '{"\\\\x005c"}'],
    [[new Date("2026-01-01T00:00:00Z")], '{"2026-01-01T00:00:00.000Z"}'],
    [[{ a: 'q"' }], '{"{\\"a\\":\\"q\\\\\\"\\"}"}'],
    [[json([1]), json(null)], '{"[1]","null"}'],
    [
      [Infinity, new Date("-000043-03-15T00:00:00Z")],
      '{Infinity,"0044-03-15T00:00:00.000Z BC"}',
    ],
  ];
  for (const [value, text] of cases) assertEquals(encode(value), text);
});

Deno.test("encodeArguments() refuses what has no SQL form, naming the argument and not its value", () => {
  class Money {
    secret = "s3cret";
  }
  const cyclic: Record<string, unknown> = { secret: "s3cret" };
  cyclic.self = cyclic;
  const cases: [unknown, string][] = [
    [undefined, "undefined is no value; give null for NULL"],
    [[1, undefined], "undefined is no value; give null for NULL"],
    // deno-lint-ignore no-sparse-arrays
    [[1, , 2], "undefined is no value; give null for NULL"],
    [[["a"], [undefined]], "undefined is no value; give null for NULL"],
    [() => "s3cret", "a function has no SQL form; give a value"],
    [Symbol("s3cret"), "a symbol has no SQL form; give a value"],
    [
      new Date(NaN),
      "an invalid Date has no SQL form; check where it is made",
    ],
    [
      [new Date(NaN)],
      "an invalid Date has no SQL form; check where it is made",
    ],
    [
      new Map([["s3cret", 1]]),
      "an instance of Map has no SQL form; give an array, a plain object or json(…) of its content",
    ],
    [
      new Set(["s3cret"]),
      "an instance of Set has no SQL form; give an array, a plain object or json(…) of its content",
    ],
    [
      new Money(),
      "an instance of Money has no SQL form; give an array, a plain object or json(…) of its content",
    ],
    [
      Promise.resolve("s3cret"),
      "an instance of Promise has no SQL form; give an array, a plain object or json(…) of its content",
    ],
    [
      "s3cret\0",
      "text with a NUL character can't be stored; remove it, or send bytes",
    ],
    [
      ["s3cret\0"],
      "text with a NUL character can't be stored; remove it, or send bytes",
    ],
    [
      "s3cret\ud800",
      "text with half a surrogate pair has no UTF-8 form; mend it with toWellFormed(), or send bytes",
    ],
    [
      json(undefined),
      "JSON has no form for it; give a value that JSON can hold",
    ],
  ];
  for (const [value, reason] of cases) {
    const error = assertThrows(
      () => encodeArguments(["first", value]),
      TypeError,
    );
    assertEquals(error.message, `Cannot send $2: ${reason}`);
    assertInstanceOf(error.cause, TypeError);
  }
  for (const value of [cyclic, { a: 1n }]) {
    const error = assertThrows(() => encodeArguments([value]), TypeError);
    assert(error.message.startsWith("Cannot send $1: JSON.stringify refused"));
    assert(!error.message.includes("s3cret"));
  }
});

Deno.test("encodeArguments() refuses a hole", () => {
  assertThrows(() => encodeArguments(new Array(1)), TypeError, "$1");
});
