/**
 * Timestamps as servers write and read them, to and from JavaScript's `Date` and `Temporal`.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { fromDate, fromIso } from "../../src/database/timestamps.ts";
import { decode, inEachZone } from "../support/values.ts";

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

Deno.test("fromDate() writes what toISOString() says, as the server reads it", () => {
  const check = (date: Date) =>
    assertEquals(fromDate(date), fromIso(date.toISOString()));
  fc.assert(fc.property(fc.date({ noInvalidDate: true }), check));
  // Neighbours share a minute or a day with the date before.
  fc.assert(fc.property(
    fc.date({ noInvalidDate: true }),
    fc.array(fc.integer({ min: -90_000, max: 90_000 })),
    (date, steps) => {
      const end = 8.64e15 - 1e7;
      let ms = Math.min(Math.max(date.getTime(), -end), end);
      for (const step of steps) check(new Date(ms += step));
    },
  ));
});
