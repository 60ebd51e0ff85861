/**
 * JavaScript values as the text that the arguments of a statement are sent in.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import { encodeArguments, json, JsonValue } from "../../src/database/values.ts";
import { inEachZone } from "../support/values.ts";

const HALF_PAIR =
  "text with half a surrogate pair has no UTF-8 form; mend it with toWellFormed(), or send bytes";

/** A value that JSON.stringify() takes as the text it is; TypeScript doesn't know of it yet. */
function rawJson(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
}

function encode(value: unknown): string | null {
  return encodeArguments([value])[0];
}

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
    [{ "😀": "😀 \\ud800" }, '{"😀":"😀 \\\\ud800"}'],
    [json(rawJson('"\\uD83D\\ude00"')), '"\\uD83D\\ude00"'],
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
      HALF_PAIR,
    ],
    ...[
      { a: "s3cret\ud800" },
      { "s3cret\udc00": 1 },
      [{ a: ["\ud83ds3cret"] }],
      json("\\\ude00\ud83d"),
      json("😀\ude00"),
      json(rawJson('"\\ud83d\\uD83D\\ude00"')),
    ].map((value): [unknown, string] => [value, HALF_PAIR]),
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
