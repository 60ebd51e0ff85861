import { assert, assertEquals } from "@std/assert";
import fc, { type Arbitrary } from "fast-check";
import {
  decodeRows,
  encodeArguments,
  json,
  JsonValue,
  type ValueOptions,
} from "../../src/database/values.ts";
import { resolveConfig } from "../../src/driver/config.ts";
import { denoPostgresDriver } from "../../src/driver/deno_postgres.ts";
import type { Session } from "../../src/driver/driver.ts";
import { server } from "../support/database.ts";

/** A type of the server, with the values that must come back as they went in. */
type Type = [sql: string, values: Arbitrary<unknown>];

/** The zones of the process and of the session, with the offset that proves the process's. */
const ZONES = [
  ["UTC", 0],
  ["America/New_York", 300],
  ["Asia/Tokyo", -540],
] as const;

const text = fc.string({ unit: "binary" })
  .filter((value) => !value.includes("\0"));
const digits = (max: number, length = 2) =>
  fc.integer({ min: 0, max }).map((n) => String(n).padStart(length, "0"));
const fraction = fc.integer({ min: 0, max: 999_999 }).map((micros) =>
  micros === 0 ? "" : "." + digitsOf(micros).replace(/0+$/, "")
);
const time = fc.tuple(digits(23), digits(59), digits(59), fraction)
  .map(([h, m, s, f]) => `${h}:${m}:${s}${f}`);
const day = fc.date({
  min: new Date("0001-01-01"),
  max: new Date("9999-12-31"),
  noInvalidDate: true,
}).map((date) => date.toISOString().slice(0, 10));
/** With years before the first CockroachDB v22.1 reckons a zone's offset now so, now so. */
const FIRST = server.kind === "cockroachdb" ? "0002-01-01" : "-004711-01-01";
const date = fc.date({
  min: new Date(FIRST),
  max: new Date(8.64e15 - 864e5),
  noInvalidDate: true,
});
const epochNs = fc.bigInt({
  min: BigInt(Date.parse(FIRST)) * 1000n,
  max: BigInt(8.64e15 - 864e5) * 1000n,
}).map((micros) => micros * 1000n);
const instant = epochNs.map((ns) => new Temporal.Instant(ns));
const plainDateTime = instant.map((value) =>
  value.toZonedDateTimeISO("UTC").toPlainDateTime()
);
const decimal = fc.tuple(
  fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }),
  fraction,
)
  .map(([whole, rest]) => `${whole}${rest}`);
const document = fc.jsonValue({ stringUnit: "grapheme" })
  .filter((value) => !JSON.stringify(value).includes("\\u0000"))
  .map(json);

/** Of six digits at most, as a FLOAT4 is written with the fewest that tell it from others. */
const short = fc.integer({ min: -999_999, max: 999_999 })
  .map((value) => value / 100);

/** Both servers know all of these by the same names. */
const SCALARS: Record<string, Type> = {
  bool: ["BOOL", fc.boolean()],
  int2: ["INT2", fc.integer({ min: -32768, max: 32767 })],
  int4: ["INT4", fc.integer()],
  int8: [
    "INT8",
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) =>
      Number.isSafeInteger(Number(n)) ? Number(n) : n
    ),
  ],
  safe: ["INT8", fc.maxSafeInteger()],
  oid: ["OID", fc.nat()],
  float4: [
    "FLOAT4",
    fc.oneof(short, fc.constantFrom(NaN, Infinity, -Infinity)),
  ],
  float8: ["FLOAT8", fc.double()],
  decimal: ["DECIMAL", fc.oneof(decimal, fc.constant("NaN"))],
  text: ["TEXT", text],
  char: [
    "CHAR(9)",
    // Blanks at the end don't count there.
    fc.string({ unit: "binary", maxLength: 9 })
      .filter((value) => !value.includes("\0") && !value.endsWith(" ")),
  ],
  bytes: ["BYTEA", fc.uint8Array()],
  uuid: ["UUID", fc.uuid()],
  date: ["DATE", fc.oneof(day, fc.constant("0044-03-15 BC"))],
  time: ["TIME", time],
  timetz: ["TIMETZ", time.map((value) => `${value}+02`)],
  inet: ["INET", fc.ipV4()],
  bits: [
    "VARBIT",
    fc.string({ unit: fc.constantFrom("0", "1"), minLength: 1 }),
  ],
};

const DATES: Record<string, Type> = {
  timestamp: ["TIMESTAMP", fc.oneof(date, fc.constant(Infinity))],
  timestamptz: ["TIMESTAMPTZ", fc.oneof(date, fc.constant(Infinity))],
};

const TEMPORALS: Record<string, Type> = {
  timestamp: ["TIMESTAMP", plainDateTime],
  timestamptz: ["TIMESTAMPTZ", instant],
};

function digitsOf(micros: number): string {
  return String(micros).padStart(6, "0");
}

function arraysOf(types: Record<string, Type>): Record<string, Type> {
  return Object.fromEntries(
    Object.entries(types).map(([name, [sql, values]]): [string, Type] => [
      `${name}s`,
      [`${sql}[]`, fc.array(fc.option(values), { maxLength: 5 })],
    ]),
  );
}

/** What can be compared: a Temporal value has no fields of its own, and JSON no order of its names. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (value instanceof JsonValue) {
    return comparable(JSON.parse(JSON.stringify(value)));
  }
  const tag = Object.prototype.toString.call(value);
  if (tag === "[object Object]") {
    return Object.entries(value as object)
      .map(([name, inner]) => [name, comparable(inner)] as const)
      .sort(([a], [b]) => a < b ? -1 : 1);
  }
  return tag.startsWith("[object Temporal.") ? `${tag} ${value}` : value;
}

/** Sends values as arguments, and decodes what the server makes of them. */
async function thereAndBack(
  session: Session,
  types: Record<string, Type>,
  values: Record<string, unknown>,
  options: ValueOptions,
): Promise<Record<string, unknown>> {
  const names = Object.keys(types);
  const columns = names.map((name, i) =>
    `$${i + 1}::${types[name][0]} AS ${name}`
  );
  const result = await session.query(
    `SELECT ${columns.join(", ")}`,
    encodeArguments(names.map((name) => values[name])),
  );
  return decodeRows(result.columns, result.rows, options)[0];
}

async function assertSameBack(
  types: Record<string, Type>,
  options: ValueOptions,
): Promise<void> {
  const before = Deno.env.get("TZ");
  const session = await denoPostgresDriver().connect(
    resolveConfig({ url: server.url }),
  );
  try {
    const values = Object.entries(types).map(([name, [, arbitrary]]) =>
      [name, arbitrary] as const
    );
    for (const [zone, offset] of ZONES) {
      Deno.env.set("TZ", zone);
      assertEquals(new Date(2026, 0, 1).getTimezoneOffset(), offset);
      await session.query(`SET TIME ZONE '${zone}'`);
      await fc.assert(
        fc.asyncProperty(
          fc.record(Object.fromEntries(values)),
          async (sent) => {
            const back = await thereAndBack(session, types, sent, options);
            for (const name of Object.keys(types)) {
              assertEquals(
                comparable(back[name]),
                comparable(sent[name]),
                name,
              );
            }
          },
        ),
      );
    }
  } finally {
    if (before === undefined) Deno.env.delete("TZ");
    else Deno.env.set("TZ", before);
    await session.close();
  }
}

const OPTIONS: ValueOptions = { int8: "auto", timestamps: "date" };

Deno.test("values of every scalar type come back the same in every zone", () =>
  assertSameBack({ ...SCALARS, ...DATES }, OPTIONS));

Deno.test("arrays of every scalar type come back the same in every zone", () =>
  assertSameBack(arraysOf({ ...SCALARS, ...DATES }), OPTIONS));

Deno.test("Temporal values come back the same in every zone, to the microsecond", () =>
  assertSameBack(
    { ...TEMPORALS, ...arraysOf(TEMPORALS) },
    { ...OPTIONS, timestamps: "temporal" },
  ));

Deno.test("bigints come back the same", () => {
  const int8 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const types: Record<string, Type> = { int8: ["INT8", int8] };
  return assertSameBack({ ...types, ...arraysOf(types) }, {
    ...OPTIONS,
    int8: "bigint",
  });
});

Deno.test("a FLOAT4 comes back as a number that means the same FLOAT4, and then stays as it is", async () => {
  const types: Record<string, Type> = {
    value: ["FLOAT4", fc.float()],
    values: ["FLOAT4[]", fc.array(fc.float(), { maxLength: 5 })],
  };
  const session = await denoPostgresDriver().connect(
    resolveConfig({ url: server.url }),
  );
  try {
    await fc.assert(fc.asyncProperty(
      fc.record({ value: types.value[1], values: types.values[1] }),
      async (sent) => {
        const once = await thereAndBack(session, types, sent, OPTIONS);
        const exact = [once.value, ...once.values as number[]]
          .map((value) => Math.fround(value as number));
        assertEquals(exact, [sent.value, ...sent.values as number[]]);
        assertEquals(await thereAndBack(session, types, once, OPTIONS), once);
      },
    ));
  } finally {
    await session.close();
  }
});

Deno.test("JSON of every shape comes back the same", () =>
  assertSameBack({ document: ["JSONB", document] }, OPTIONS));

Deno.test("what the server writes of timestamps and intervals comes back the same", async () => {
  const types: Record<string, Type> = {
    timestamp: ["TIMESTAMP", date],
    timestamptz: ["TIMESTAMPTZ", date],
    interval: [
      "INTERVAL",
      fc.record({
        years: fc.nat(1000),
        months: fc.nat(11),
        days: fc.nat(1000),
        hours: fc.nat(1000),
        seconds: fc.nat(59),
        milliseconds: fc.nat(999),
      }).chain((fields) =>
        fc.constantFrom(1, -1).map((sign) => {
          const duration = Temporal.Duration.from(fields);
          return sign === 1 ? duration : duration.negated();
        })
      ),
    ],
  };
  const options: ValueOptions = { ...OPTIONS, timestamps: "string" };
  const session = await denoPostgresDriver().connect(
    resolveConfig({ url: server.url }),
  );
  try {
    for (const [zone] of ZONES) {
      await session.query(`SET TIME ZONE '${zone}'`);
      await fc.assert(fc.asyncProperty(
        fc.record({
          timestamp: types.timestamp[1],
          timestamptz: types.timestamptz[1],
          interval: types.interval[1],
        }),
        async (sent) => {
          const once = await thereAndBack(session, types, sent, options);
          assert(Object.values(once).every((it) => typeof it === "string"));
          assertEquals(await thereAndBack(session, types, once, options), once);
        },
      ));
    }
  } finally {
    await session.close();
  }
});

Deno.test({
  name:
    "nested arrays, arrays of JSON and -infinity come back the same [PostgreSQL]",
  ignore: server.kind === "cockroachdb",
  fn: () => {
    const rows = fc.array(
      fc.array(fc.option(text), { minLength: 2, maxLength: 2 }),
      { maxLength: 3 },
    );
    return assertSameBack({
      nested: ["TEXT[][]", rows],
      documents: ["JSONB[]", fc.array(document)],
      past: ["TIMESTAMPTZ", fc.constant(-Infinity)],
    }, OPTIONS);
  },
});
