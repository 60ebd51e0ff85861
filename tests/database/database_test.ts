import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { ConfigError, DatabaseError, SqlTextError } from "../../src/errors.ts";
import { Database } from "../../src/database/database.ts";
import type { QueryEvent } from "../../src/database/observer.ts";
import { identifier } from "../../src/database/template.ts";
import { json } from "../../src/database/values.ts";
import { databaseTest, server } from "../support/database.ts";
import { drivers } from "../support/drivers.ts";
import { FakeDriver } from "../support/fake_driver.ts";

/** A name that no other test uses, on the server itself. */
function freshName(): string {
  return `crdb "test" ${crypto.randomUUID().slice(0, 8)}`;
}

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
      "Cannot use 5 as options: give an object, such as { max: … }",
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

Deno.test("Database opens nothing until it is used, and can be closed without that", async () => {
  const driver = new FakeDriver();
  const db = new Database({ driver });
  await db.close();
  await db.close();
  assertEquals(driver.attempts, 0);
  const error = await assertRejects(() => db.query("SELECT 1"), DatabaseError);
  assertEquals(
    error.message,
    "Cannot use the database: it was closed; make a new Database",
  );
});

Deno.test("Database.config names the server, but not the password", () => {
  const db = Database.fromUrl("postgresql://ada:secret@db.example:7/shop");
  const { host, port, user, database } = db.config;
  assertEquals([host, port, user, database], ["db.example", 7, "ada", "shop"]);
  assert(!JSON.stringify(db.config).includes("secret"));
});

databaseTest(
  "Database.connect() returns the database, or says why there is none",
  async (db, { options }) => {
    assertStrictEquals(await db.connect(), db);
    await using missing = new Database({ ...options, database: "no_such_db" });
    const error = await assertRejects(() => missing.connect(), DatabaseError);
    const { host, port } = db.config;
    assertEquals([error.code, error.message], [
      "3D000",
      `Cannot connect to ${host}:${port}: database "no_such_db" does not exist; create the database, or name another`,
    ]);
  },
);

databaseTest("Database.server() says what the server is", async (db) => {
  const { kind, version } = await db.server();
  assertEquals(kind, server.kind);
  assertMatch(version, kind === "cockroachdb" ? /^v\d+\.\d+/ : /^\d+\.\d+/);
});

databaseTest(
  "Database.query() takes text with arguments, and a template",
  async (db) => {
    const rows = [{ n: 1, t: "x'y" }];
    assertEquals(
      await db.query("SELECT $1::INT4 AS n, $2::TEXT AS t", [1, "x'y"]),
      rows,
    );
    assertEquals(
      await db.query`SELECT ${1}::INT4 AS n, ${"x'y"}::TEXT AS t`,
      rows,
    );
    assertEquals(await db.query("SELECT 1 AS n WHERE false"), []);
    assertEquals(
      await db.query`SELECT 1::INT4 AS ${identifier('a "b"')}`,
      [{ 'a "b"': 1 }],
    );
  },
);

databaseTest(
  "Database.queryOne() returns the first row, or undefined",
  async (db) => {
    const numbers = "SELECT n::INT4 FROM generate_series(5, 7) AS n";
    assertEquals(await db.queryOne(numbers), { n: 5 });
    assertEquals(await db.queryOne`SELECT 1 WHERE ${false}`, undefined);
  },
);

databaseTest(
  "Database.execute() returns the number of rows affected",
  async (db) => {
    assertEquals(await db.execute("CREATE TABLE t (id INT PRIMARY KEY)"), 0);
    assertEquals(await db.execute("INSERT INTO t VALUES (1), (2), (3)"), 3);
    assertEquals(await db.execute`DELETE FROM t WHERE id > ${1}`, 2);
  },
);

databaseTest("Database refuses undefined as an argument", async (db) => {
  await assertRejects(
    () => db.query("SELECT $1::INT", [undefined]),
    TypeError,
    "Cannot send $1",
  );
});

databaseTest(
  "Database.createTable() and dropTable() take hostile names, and their options",
  async (db) => {
    const name = '"My.Table; --"';
    const columns = { id: "INT PRIMARY KEY", 'a "quoted" name': "TEXT" };
    assertEquals(await db.exists(name), false);
    await db.createTable(name, columns);
    assertEquals(await db.exists(name), true);
    await assertRejects(() => db.createTable(name, columns), DatabaseError);
    await db.createTable(name, columns, { ifNotExists: true });
    const row = { id: 1, 'a "quoted" name': "x" };
    assertEquals(await db.insert(name, row), row);
    await db.dropTable(name);
    assertEquals(await db.exists(name), false);
    await assertRejects(() => db.dropTable(name), DatabaseError);
    await db.dropTable(name, { ifExists: true });
    await assertRejects(() => db.createTable("", columns), SqlTextError);
  },
);

databaseTest(
  "Database.dropTable() drops what depends on the table where cascade is said",
  async (db) => {
    await db.createTable("t", { id: "INT PRIMARY KEY" });
    await db.execute("CREATE VIEW v AS SELECT id FROM t");
    await assertRejects(() => db.dropTable("t"), DatabaseError);
    await db.dropTable("t", { cascade: true });
    assertEquals(await db.exists("v"), false);
  },
);

databaseTest(
  "Database.exists() looks in schemas and databases by name",
  async (db, { name }) => {
    await db.execute("CREATE SCHEMA app");
    await db.createTable("app.t", { id: "INT" });
    assertEquals(await db.exists("t"), false);
    assertEquals(await db.exists("app.t"), true);
    assertEquals(await db.exists(`${name}.app.t`), true);
    assertEquals(await db.exists("app.other"), false);
    await db.execute("CREATE VIEW app.v AS SELECT 1 AS one");
    assertEquals(await db.exists("app.v"), true);
  },
);

databaseTest(
  "Database.createDatabase() and dropDatabase() take hostile names, and their options",
  async (db, { options }) => {
    const name = freshName();
    await db.createDatabase(name);
    try {
      const error = await assertRejects(
        () => db.createDatabase(name),
        DatabaseError,
      );
      assertEquals(error.code, "42P04");
      await db.createDatabase(name, { ifNotExists: true });
      const other = new Database({ ...options, database: name });
      await other.createTable("t", { id: "INT" });
      await other.close();
    } finally {
      await db.dropDatabase(name, { cascade: true });
    }
    await assertRejects(() => db.dropDatabase(name), DatabaseError);
    await db.dropDatabase(name, { ifExists: true, cascade: true });
  },
);

databaseTest(
  "Database.createDatabase() may be called by many at once where ifNotExists is said",
  async (db) => {
    const name = freshName();
    await Promise.all(
      Array.from(
        { length: 4 },
        () => db.createDatabase(name, { ifNotExists: true }),
      ),
    );
    await db.dropDatabase(name);
  },
);

databaseTest(
  "Database.insert() returns the row as the table has it",
  async (db) => {
    await db.createTable("t", {
      id: "INT PRIMARY KEY DEFAULT 7",
      name: "TEXT DEFAULT 'none'",
    });
    assertEquals(await db.insert("t", {}), { id: 7, name: "none" });
    assertEquals(await db.insert("t", { id: 8, name: null }), {
      id: 8,
      name: null,
    });
  },
);

databaseTest(
  "Database takes __proto__ as a column like any other",
  async (db) => {
    await db.createTable("t", { id: "INT PRIMARY KEY", ["__proto__"]: "TEXT" });
    const row = { id: 1, ["__proto__"]: "x" };
    assertEquals(
      Object.entries(await db.insert("t", row)),
      Object.entries(row),
    );
    const [found] = await db.select("t", { where: { ["__proto__"]: "x" } });
    assertEquals(Object.entries(found), Object.entries(row));
  },
);

databaseTest(
  "Database.upsert() goes by the primary key, or by what conflict says",
  async (db) => {
    await db.execute(
      "CREATE TABLE t (a INT4, b INT4, name TEXT UNIQUE, n INT4, PRIMARY KEY (a, b))",
    );
    await db.upsert("t", { a: 1, b: 1, name: "x", n: 1 });
    const second = { a: 1, b: 1, name: "x", n: 2 };
    assertEquals(await db.upsert("t", second), second);
    const third = { a: 1, b: 1, name: "x", n: 3 };
    assertEquals(await db.upsert("t", third, { conflict: ["name"] }), third);
    assertEquals(await db.upsert("t", { a: 1, b: 1 }), third);
    assertEquals(await db.count("t"), 1);
  },
);

databaseTest(
  "Database.upsert() refuses a table without a primary key",
  async (db) => {
    await db.createTable("t", { a: "INT" });
    await assertRejects(
      () => db.upsert("t", { a: 1 }),
      TypeError,
      "Cannot upsert into t: it has no primary key",
    );
  },
);

databaseTest("Database.select() restricts, orders and cuts", async (db) => {
  await db.createTable("t", {
    id: "INT4 PRIMARY KEY",
    kind: "TEXT",
    n: "INT4",
  });
  await db.batchInsert("t", [
    { id: 1, kind: "a", n: 5 },
    { id: 2, kind: "b", n: 4 },
    { id: 3, kind: "b", n: 3 },
    { id: 4, kind: null, n: 2 },
  ]);
  const ids = async (options: Parameters<typeof db.select>[1]) =>
    (await db.select<{ id: number }>("t", { orderBy: "id", ...options }))
      .map(({ id }) => id);
  assertEquals(await ids({}), [1, 2, 3, 4]);
  assertEquals(await ids({ where: { kind: "b" } }), [2, 3]);
  assertEquals(await ids({ where: { kind: null } }), [4]);
  assertEquals(await ids({ where: { kind: { op: "!=", value: null } } }), [
    1,
    2,
    3,
  ]);
  assertEquals(await ids({ where: { id: [1, 4, 9] } }), [1, 4]);
  assertEquals(await ids({ where: { id: [] } }), []);
  assertEquals(await ids({ where: { n: { op: "<", value: 4 }, kind: "b" } }), [
    3,
  ]);
  assertEquals(await ids({ where: { kind: { op: "ilike", value: "A%" } } }), [
    1,
  ]);
  assertEquals(
    await ids({
      orderBy: ["kind desc", "n"],
      where: { n: { op: ">", value: 2 } },
    }),
    [3, 2, 1],
  );
  assertEquals(await ids({ limit: 2, offset: 1 }), [2, 3]);
  assertEquals(
    await ids({
      whereClause: "n = $1 OR id = $2",
      params: [5, 3],
      where: { kind: ["a", "b"] },
    }),
    [1, 3],
  );
  assertEquals(
    await db.select("t", { columns: ["n"], limit: 1, orderBy: "t.id" }),
    [{ n: 5 }],
  );
  assertEquals(await db.selectOne("t", { where: { id: 9 } }), undefined);
  assertEquals(await db.selectOne("t", { orderBy: "n", forUpdate: true }), {
    id: 4,
    kind: null,
    n: 2,
  });
  assertEquals(await db.count("t"), 4);
  assertEquals(await db.count("t", { where: { kind: "b" } }), 2);
  assertEquals(await db.count("t", { whereClause: "n > $1", params: [3] }), 2);
});

databaseTest(
  "Database.update() and delete() touch what the conditions say, and nothing without any",
  async (db) => {
    await db.createTable("t", { id: "INT4 PRIMARY KEY", n: "INT4" });
    await db.batchInsert("t", [{ id: 1, n: 1 }, { id: 2, n: 2 }]);
    assertEquals(await db.update("t", { n: 9 }, { id: 1 }), [{ id: 1, n: 9 }]);
    assertEquals(await db.update("t", { n: 9 }, { id: 7 }), []);
    await assertRejects(
      () => db.update("t", { n: 0 }, {}),
      TypeError,
      "Cannot update every row of t",
    );
    await assertRejects(
      () => db.delete("t", {}),
      TypeError,
      "Cannot delete from every row of t",
    );
    assertEquals((await db.update("t", { n: 0 }, {}, { all: true })).length, 2);
    assertEquals(await db.delete("t", { id: 1 }), 1);
    assertEquals(await db.delete("t", {}, { all: true }), 1);
  },
);

databaseTest(
  "Database.stream() yields every row, and a loop that ends early frees its connection",
  async (_, { options }) => {
    await using db = new Database({ ...options, pool: { max: 1 } });
    const numbers = "SELECT generate_series(1, $1::INT) AS n";
    let sum = 0;
    for await (
      const { n } of db.stream<{ n: number }>(numbers, [5000], {
        batchSize: 100,
      })
    ) {
      sum += n;
    }
    assertEquals(sum, 5000 * 5001 / 2);
    for await (const { n } of db.stream<{ n: number }>(numbers, [1_000_000])) {
      if (n === 3) break;
    }
    assertEquals(await db.queryOne("SELECT 1 AS one"), { one: 1 });
    const failing = async () => {
      for await (
        const _ of db.stream(
          "SELECT 1 / (n - 900) FROM generate_series(1, 1000) AS n",
        )
      ) {
        // Nothing is done with the rows before the one that fails.
      }
    };
    const error = await assertRejects(failing, DatabaseError);
    assertEquals(error.code, "22012");
    assertEquals(await db.queryOne("SELECT 1 AS one"), { one: 1 });
  },
);

databaseTest(
  "Database.stream() refuses a batch size that isn't one",
  async (db) => {
    await assertRejects(
      () => db.stream("SELECT 1", [], { batchSize: 0 }).next(),
      RangeError,
    );
  },
);

databaseTest(
  "Database.pages() and Table.pages() go through a table without gaps or repeats",
  async (db) => {
    await db.createTable("t", { id: "INT4 PRIMARY KEY", at: "TIMESTAMPTZ" });
    // Microseconds, which a Date doesn't have, and many rows of one time.
    await db.execute(
      "INSERT INTO t SELECT n, '2026-01-01T00:00:00.123456Z'::TIMESTAMPTZ + (n / 10) * '1 microsecond'::INTERVAL " +
        "FROM generate_series(1, 95) AS n",
    );
    await db.execute("INSERT INTO t VALUES (96, NULL), (97, NULL), (98, NULL)");
    const ids = async (pages: AsyncIterable<{ id: number }[]>) => {
      const read = await Array.fromAsync(pages);
      assert(read.every(({ length }) => length > 0));
      return read.flat().map(({ id }) => id);
    };
    const all = Array.from({ length: 95 }, (_, index) => index + 1);
    const nulls = [96, 97, 98];
    assertEquals(await ids(db.pages("t", { size: 10 })), [...all, ...nulls]);
    const table = db.table<{ id: number; at: Date }>("t");
    for (const size of [1, 5, 7, 94, 97, 98, 99]) {
      assertEquals(
        await ids(table.pages({ size, orderBy: "at" })),
        [...all, ...nulls],
      );
      assertEquals(
        await ids(table.pages({ size, orderBy: "at desc" })),
        [...all.toReversed(), ...nulls.toReversed()],
      );
    }
    const sizes =
      (await Array.fromAsync(table.pages({ orderBy: "at", size: 45 })))
        .map(({ length }) => length);
    assertEquals(sizes, [45, 45, 8]);
    assertEquals(
      await ids(
        table.pages({ where: { id: { op: ">", value: 90 } }, size: 2 }),
      ),
      [91, 92, 93, 94, 95, ...nulls],
    );
    await assertRejects(() => table.pages({ size: 0 }).next(), RangeError);
  },
);

databaseTest(
  "Database.dropDatabase() refuses to drop what is in one where cascade is false",
  async (db) => {
    const name = `${db.config.database}_full`;
    await db.createDatabase(name);
    await db.execute(`CREATE TABLE ${name}.public.t (id INT PRIMARY KEY)`);
    const error = await assertRejects(
      () => db.dropDatabase(name, { cascade: false }),
      DatabaseError,
    );
    assertEquals(error.code, "2BP01");
    await db.dropDatabase(name);
  },
  { on: ["cockroachdb"] },
);

databaseTest(
  "a stream that is left early doesn't end its transaction",
  async (db) => {
    await db.createTable("t", { id: "INT8 PRIMARY KEY" });
    await db.transaction(async (tx) => {
      await tx.insert("t", { id: 1 });
      for (const at of [1, 1_500]) {
        const rows = tx.stream<{ g: number }>(
          "SELECT g, repeat('x', 100) FROM generate_series(1, 300000) AS g",
        );
        for await (const { g } of rows) if (g === at) break;
      }
      await tx.insert("t", { id: 2 });
    });
    assertEquals(await db.count("t"), 2);
  },
);

databaseTest(
  "a row is found again by its key of CHAR(n), as it was read",
  async (db) => {
    await db.createTable("t", { code: "CHAR(5) PRIMARY KEY", n: "INT4" });
    const table = db.table<{ code: string; n: number }>("t", { key: "code" });
    const row = { code: "ab", n: 1 };
    assertEquals(await table.create({ code: "ab  ", n: 1 }), row);
    const [{ code }] = await db.select<{ code: string }>("t");
    assertEquals(await table.read(code), row);
    assertEquals(await db.select("t", { where: { code } }), [row]);
    assertEquals(await db.batchDelete("t", [code], { key: "code" }), 1);
  },
);

databaseTest(
  "Database.table() gives the methods of a table, by its key",
  async (db) => {
    await db.createTable("users", { email: "TEXT PRIMARY KEY", age: "INT4" });
    const users = db.table<{ email: string; age: number }>("users", {
      key: "email",
    });
    const ada = { email: "ada@example.com", age: 36 };
    assertEquals(await users.create(ada), ada);
    assertEquals(await users.read(ada.email), ada);
    assertEquals(await users.read("nobody"), undefined);
    assertEquals(await users.update(ada.email, { age: 37 }), {
      ...ada,
      age: 37,
    });
    assertEquals(await users.update("nobody", { age: 1 }), undefined);
    assertEquals(await users.upsert(ada), ada);
    assertEquals(await users.exists(ada.email), true);
    const more = ["b", "c"].map((email) => ({ email, age: 1 }));
    assertEquals(await users.batchCreate(more), more);
    assertEquals(await users.batchUpdate([{ email: "b", age: 2 }]), 1);
    assertEquals(await users.count({ where: { age: 2 } }), 1);
    assertEquals((await users.list({ orderBy: "email desc" })).length, 3);
    assertEquals(await users.batchDelete(["b", "c", "x"]), 2);
    assertEquals(await users.delete(ada.email), true);
    assertEquals(await users.delete(ada.email), false);
    assertEquals(await users.exists(ada.email), false);
    await db.transaction((tx) =>
      tx.table("users", { key: "email" }).create(ada)
    );
    assertEquals(await users.count(), 1);
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
  "Database cancels a statement by its signal or its time, and goes on",
  async (_, { options }) => {
    await using db = new Database({ ...options, pool: { max: 1 } });
    const controller = new AbortController();
    const reason = new Error("enough");
    const { signal } = controller;
    setTimeout(() => controller.abort(reason), 30);
    const thrown = await db.query("SELECT pg_sleep(30)", [], { signal })
      .catch((error) => error);
    assertStrictEquals(thrown, reason);
    const error = await assertRejects(
      () => db.query("SELECT pg_sleep(30)", [], { timeoutMs: 30 }),
      DatabaseError,
    );
    assertEquals([error.kind, error.code], ["timeout", "57014"]);
    assertEquals(await db.queryOne("SELECT 1 AS one"), { one: 1 });
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

databaseTest(
  "Database runs fifty queries at once on ten connections",
  async (db) => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => db.queryOne`SELECT ${n}::INT4 AS n`),
    );
    assertEquals(answers, Array.from({ length: 50 }, (_, n) => ({ n })));
  },
);

databaseTest(
  "Database reads and writes the same on every driver",
  async (db, { options }) => {
    await db.execute(`CREATE TABLE t (
    id INT4 PRIMARY KEY, i8 INT8, d DECIMAL(20, 5), f FLOAT8, b BOOL, t TEXT, v VARCHAR(9),
    by BYTEA, u UUID, j JSONB, da DATE, ti TIME, ts TIMESTAMP, tz TIMESTAMPTZ, iv INTERVAL,
    ip INET, ia INT8[], ta TEXT[], n TEXT)`);
    const row = {
      id: 1,
      i8: 2n ** 63n - 1n,
      d: "12345.67890",
      f: 0.1,
      b: true,
      t: "x'\"\\,{}",
      v: "ü€😀",
      by: new Uint8Array([0, 255, 1]),
      u: "6b1f7a52-3c0e-4a4e-9c39-5ba0d2f1c111",
      j: { a: [1, null, "x"] },
      da: "2026-02-28",
      ti: "12:34:56.789012",
      ts: new Date("2026-01-01T00:00:00.123Z"),
      tz: new Date("1999-12-31T23:59:59.999Z"),
      iv: "01:00:00",
      ip: "10.0.0.1",
      ia: [1, null, -3],
      ta: ['a"b', "c,d", null, ""],
      n: null,
    };
    assertEquals(await db.insert("t", row), row);
    for (const { driver, reason } of drivers) {
      if (reason !== undefined) continue;
      await using other = new Database({ ...options, driver });
      assertEquals(await other.select("t"), [row]);
      await other.transaction((tx) =>
        tx.update("t", { ...row, id: 1 }, { id: 1 })
      );
      assertEquals(
        await other.selectOne("t", { where: { j: json(row.j) } }),
        row,
      );
    }
  },
);

databaseTest(
  "DatabaseError.kind says what an error means, on every server",
  async (db) => {
    await db.execute("CREATE TABLE p (id INT PRIMARY KEY)");
    await db.execute(
      "CREATE TABLE t (id INT PRIMARY KEY, n INT NOT NULL CHECK (n > 0), p INT REFERENCES p (id))",
    );
    await db.execute("INSERT INTO t VALUES (1, 1)");
    const cases: [string, string][] = [
      ["INSERT INTO t VALUES (1, 1)", "unique-violation"],
      ["INSERT INTO t VALUES (2, 1, 9)", "foreign-key-violation"],
      ["INSERT INTO t VALUES (2, NULL)", "not-null-violation"],
      ["INSERT INTO t VALUES (2, 0)", "check-violation"],
      ["SELECT * FROM missing", "undefined"],
      ["SELECT missing FROM t", "undefined"],
      ["SELECT missing(1)", "undefined"],
      ["SELEC 1", "syntax"],
      ["SELECT 1 / 0", "other"],
    ];
    for (const [statement, kind] of cases) {
      const error = await assertRejects(
        () => db.query(statement),
        DatabaseError,
      );
      assertEquals(error.kind, kind, statement);
      assertEquals(error.statement, statement);
    }
    const error = await assertRejects(
      () => db.insert("t", { id: 1, n: 1 }),
      DatabaseError,
    );
    assertEquals([error.code, error.constraint], ["23505", "t_pkey"]);
  },
);

databaseTest(
  "DatabaseError.kind is permission where the user may not",
  async (db, { name, options }) => {
    await db.createTable("t", { id: "INT" });
    const user = `crdb_test_${name.slice(-12)}`;
    await db.execute`CREATE USER ${identifier(user)}`;
    try {
      await using other = new Database({ ...options, user });
      const error = await assertRejects(
        () => other.query("SELECT * FROM t"),
        DatabaseError,
      );
      assertEquals([error.kind, error.code], ["permission", "42501"]);
    } finally {
      await db.execute`DROP USER ${identifier(user)}`;
    }
  },
);

databaseTest(
  "DatabaseError.kind is retryable where a serializable transaction can't go on",
  async (db) => {
    await db.createTable("t", { id: "INT PRIMARY KEY", n: "INT" });
    await db.insert("t", { id: 1, n: 0 });
    const sessions = [await db.openSession(), await db.openSession()];
    const [a, b] = sessions;
    for (const session of sessions) {
      await session.query("BEGIN ISOLATION LEVEL SERIALIZABLE");
      await session.query("SELECT n FROM t WHERE id = 1");
    }
    const update = "UPDATE t SET n = n + 1 WHERE id = 1";
    const outcomes = await Promise.allSettled([
      a.query(update).then(() => a.query("COMMIT")),
      b.query(update).then(() => b.query("COMMIT")),
    ]);
    for (const session of sessions) await session.close();
    const failed = outcomes.filter(({ status }) => status === "rejected");
    assertEquals(failed.length, 1);
    const { reason } = failed[0] as PromiseRejectedResult;
    assertEquals([reason.kind, reason.code], ["retryable", "40001"]);
  },
);

Deno.test("Database says connection where there is no server", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await using db = new Database({ host: "127.0.0.1", port, database: "x" });
  const start = performance.now();
  const errors = await Promise.all(
    Array.from({ length: 100 }, () => db.query("SELECT 1").catch((e) => e)),
  );
  for (const error of errors) {
    assert(error instanceof DatabaseError);
    assertEquals([error.kind, error.code], ["connection", "08001"]);
  }
  assert(performance.now() - start < 10_000, "not the limit of waiting");
});
