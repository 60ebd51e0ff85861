/**
 * What a `Database` and its calls are told: what is refused, and what the options of a `Database` do.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import type { QueryEvent } from "../../src/database/observer.ts";
import { ConfigError, type DatabaseError } from "../../src/errors.ts";
import { databaseTest } from "../support/database.ts";
import { FakeDriver } from "../support/fake_driver.ts";

Deno.test("Database refuses options that it doesn't know, and says which one was meant", () => {
  const make = (options: object) => () => new Database(options);
  const cases: [object, string][] = [
    [
      { hostname: "a" },
      'Cannot use the option "hostname": unknown option; did you mean "host"?',
    ],
    [
      { onquery: 1 },
      'Cannot use the option "onquery": unknown option; did you mean "onQuery"?',
    ],
    [
      { pool: { maxx: 1 } },
      'Cannot use the option "maxx": unknown option; did you mean "max"?',
    ],
    [
      { int8: "number" },
      'Cannot use int8 "number": give one of auto, bigint, string',
    ],
    [
      { timestamps: "Date" },
      'Cannot use timestamps "Date": give one of date, temporal, string',
    ],
    [
      { statementTimeoutMs: 0 },
      "Cannot use statementTimeoutMs 0: give a number of milliseconds above 0",
    ],
    [
      { statementTimeoutMs: "5s" },
      "Cannot use statementTimeoutMs 5s: give a number of milliseconds above 0",
    ],
    [
      { pool: 5 },
      "Cannot use a number as options: give an object, such as { max: … }",
    ],
    [
      { driver: {} },
      "Cannot use the option driver: it can't connect; give what pgDriver() returns, or leave it out",
    ],
    [
      { onQuery: true },
      "Cannot use the option onQuery: it is no function; give one that takes an event",
    ],
  ];
  for (const [options, message] of cases) {
    assertThrows(make(options), ConfigError, message);
  }
});

Deno.test("Database refuses what isn't made of options, and shows no password of it", () => {
  const url = "postgres://ann:s3cret@prod.example/shop";
  const makes: ((value: never) => unknown)[] = [
    (value) => new Database(value),
    (value) => new Database({ pool: value }),
    (value) => new Database({ [value]: 1 }),
    (value) => Database.fromUrl("postgres://localhost", value),
  ];
  for (const make of makes) {
    const error = assertThrows(() => make(url as never), ConfigError);
    assert(!error.message.includes("s3cret"), error.message);
  }
  for (const value of [new URL(url), new Map([["url", url]]), [], [url]]) {
    for (const make of [makes[0], makes[1], makes[3]]) {
      assertThrows(() => make(value as never), ConfigError, "as options: give");
    }
  }
  assertThrows(
    () => new Database(new URL(url) as never),
    ConfigError,
    "Cannot use an instance of URL as options: give an object, such as { url: … }, or the address to Database.fromUrl(String(url))",
  );
});

Deno.test("Database.fromUrl() refuses what is no text", () => {
  assertThrows(
    () => Database.fromUrl(undefined as never),
    ConfigError,
    "Cannot make a client: the url is no string; give postgresql://…",
  );
});

Deno.test("Database's calls refuse options that they don't know, before anything is sent", async () => {
  const driver = new FakeDriver();
  await using db = new Database({ driver });
  const wrong = { limi: 1 } as never;
  const calls: (() => Promise<unknown>)[] = [
    () => db.query("SELECT 1", [], wrong),
    () => db.queryOne("SELECT 1", [], wrong),
    () => db.execute("SELECT 1", [], wrong),
    () => db.stream("SELECT 1", [], wrong).next(),
    () => db.select("t", wrong),
    () => db.selectOne("t", wrong),
    () => db.count("t", wrong),
    () => db.update("t", { a: 1 }, { id: 1 }, wrong),
    () => db.delete("t", { id: 1 }, wrong),
    () => db.pages("t", wrong).next(),
    () => db.table("t").pages(wrong).next(),
    () => db.transaction(() => Promise.resolve(), wrong),
  ];
  for (const call of calls) {
    await assertRejects(call, ConfigError, 'Cannot use the option "limi"');
  }
  for (const timeoutMs of [0, -1, NaN, "5"] as number[]) {
    await assertRejects(
      () => db.query("SELECT 1", [], { timeoutMs }),
      ConfigError,
      `Cannot use timeoutMs ${timeoutMs}: give a number of milliseconds above 0`,
    );
  }
  await assertRejects(
    () => db.query(1 as never),
    TypeError,
    "Cannot run the statement: it is neither a text nor a template",
  );
  await assertRejects(
    () => db.stream(undefined as never).next(),
    TypeError,
    "Cannot run the statement: it is no text; give its SQL",
  );
  for (
    const call of [
      () => db.query("SELECT 1", [], null as never),
      () => db.stream("SELECT 1", [], null as never).next(),
      () => db.transaction(() => Promise.resolve(), null as never),
    ]
  ) {
    await assertRejects(call, ConfigError, "Cannot use null as options");
  }
  assertEquals(driver.attempts, 0);
});

databaseTest(
  "Database refuses arguments that are no array, and goes on",
  async (_, { options }) => {
    await using db = new Database({ ...options, pool: { max: 1 } });
    const args = { timeoutMs: 5 } as never;
    for (
      const call of [
        () => db.query("SELECT 1", args),
        () => db.stream("SELECT 1", args).next(),
        () => db.transaction((tx) => tx.query("SELECT 1", args)),
      ]
    ) {
      await assertRejects(
        call,
        TypeError,
        "Cannot send the arguments: they are no array; give them as one, and options after it",
      );
    }
    assertEquals(await db.queryOne("SELECT 1 AS one"), { one: 1 });
  },
);

databaseTest(
  "Database tells onQuery of every statement, and never of its arguments",
  async (_, { options }) => {
    const events: QueryEvent[] = [];
    const db = new Database({
      ...options,
      onQuery: (event) => events.push(event),
    });
    await db.query("SELECT $1::TEXT", ["secret"]);
    await db.query("SELEC 1").catch(() => {});
    await db.transaction((tx) => tx.query("SELECT 2"));
    await db.stream("SELECT generate_series(1, 3)").next();
    for await (const _ of db.stream("SELECT generate_series(1, 3)"));
    // The stream that was left in the middle holds its connection.
    await db.close({ timeoutMs: 10 });
    assertEquals(
      events.map((
        { text, argumentCount, rowCount },
      ) => [text, argumentCount, rowCount]),
      [
        ["SELECT $1::TEXT", 1, 1],
        ["SELEC 1", 0, undefined],
        ["SELECT 2", 0, 1],
        ["SELECT generate_series(1, 3)", 0, 3],
      ],
    );
    assert((events[1].error as DatabaseError).kind === "syntax");
    assert(events.every(({ durationMs }) => durationMs >= 0));
    assert(!JSON.stringify(events).includes("secret"));
  },
);

databaseTest(
  "Database.statementTimeoutMs is the limit of whatever has none of its own",
  async (_, { options }) => {
    await using db = new Database({ ...options, statementTimeoutMs: 50 });
    const kinds = await Promise.all([
      db.query("SELECT pg_sleep(30)"),
      db.transaction((tx) => tx.query("SELECT pg_sleep(30)")),
      db.stream("SELECT pg_sleep(30)").next(),
    ].map((call) => call.then(() => "done", ({ kind }) => kind)));
    assertEquals(kinds, ["timeout", "timeout", "timeout"]);
    await db.query("SELECT pg_sleep(0.1)", [], { timeoutMs: 10_000 });
  },
);

databaseTest(
  "Database decodes INT8 and timestamps as it is told",
  async (_, { options }) => {
    const statement =
      "SELECT 1::INT8 AS a, 9223372036854775807::INT8 AS b, '2026-01-01T00:00:00.123456Z'::TIMESTAMPTZ AS c";
    const read = async (own: object) => {
      await using db = new Database({
        ...options,
        sessionSettings: { timezone: "UTC" },
        ...own,
      });
      const { a, b, c } = (await db.queryOne(statement))!;
      return [a, b, String(c)];
    };
    const max = 9223372036854775807n;
    const [one, big, date] = await read({});
    assertEquals([one, big], [1, max]);
    assertEquals(date, String(new Date("2026-01-01T00:00:00.123Z")));
    assertEquals(await read({ int8: "bigint", timestamps: "temporal" }), [
      1n,
      max,
      "2026-01-01T00:00:00.123456Z",
    ]);
    assertEquals(await read({ int8: "string", timestamps: "string" }), [
      "1",
      String(max),
      "2026-01-01 00:00:00.123456+00",
    ]);
  },
);
