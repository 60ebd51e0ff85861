import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import type { QueryEvent } from "../../src/database/observer.ts";
import { UserTypes } from "../../src/database/user_types.ts";
import type { RowBatch, Session } from "../../src/driver/driver.ts";
import { DatabaseError } from "../../src/errors.ts";
import { databaseTest, server } from "../support/database.ts";
import { drivers } from "../support/drivers.ts";
import { FakeSession } from "../support/fake_driver.ts";

const VALUES = { int8: "auto", timestamps: "date" } as const;
const MOODS = [{ name: "m", typeOid: 100_002 }];

async function only<T>(rows: AsyncIterable<T>): Promise<T> {
  const [row] = await Array.fromAsync(rows);
  return row;
}

/** A session whose catalog answers this. */
function catalog(answer: () => (string | null)[][]): FakeSession & Session {
  const session = new FakeSession();
  const query = session.query.bind(session);
  session.query = async (text) => ({ ...await query(text), rows: answer() });
  return session;
}

Deno.test("UserTypes asks nothing of built-in types, their arrays among them", () => {
  const types = new UserTypes(VALUES);
  const oids = [16, 1009, 3807, 90_007];
  const columns = oids.map((typeOid) => ({ name: "a", typeOid }));
  assertEquals([types.lacks(columns), types.lacks(MOODS)], [false, true]);
  assertEquals(types.values, VALUES);
});

Deno.test("UserTypes asks for a type once, and keeps what it is", async () => {
  const types = new UserTypes(VALUES);
  const scalar = { name: "s", typeOid: 100_001 };
  const isArray = catalog(() => [["100002", "t", "100001", null]]);
  await types.learn([...MOODS, ...MOODS], isArray);
  await types.learn(
    [scalar, ...MOODS],
    catalog(() => [["100001", "f", "0", null]]),
  );
  assertEquals(isArray.statements.length, 1);
  assertEquals(types.lacks([scalar, ...MOODS]), false);
  assertEquals(types.values, {
    ...VALUES,
    arrayOids: new Map([[100_002, 100_001]]),
  });
});

Deno.test("UserTypes takes the elements of an array of a domain as what they are made of", async () => {
  const types = new UserTypes(VALUES);
  await types.learn(MOODS, catalog(() => [["100002", "t", "100001", "20"]]));
  assertEquals(types.values.arrayOids, new Map([[100_002, 20]]));
});

Deno.test("UserTypes forgets what a catalog doesn't know, or won't tell", async () => {
  const types = new UserTypes(VALUES);
  await types.learn(MOODS, catalog(() => []));
  const failing = (code: string) =>
    catalog(() => {
      throw new DatabaseError({ code, message: "no" });
    });
  await types.learn(MOODS, failing("42501"));
  assertEquals([types.lacks(MOODS), types.values], [true, VALUES]);
  await assertRejects(
    () => types.learn(MOODS, failing("40001")),
    DatabaseError,
  );
});

/** A stream of one column whose type is another's secret. */
async function* stream(...texts: (string | null)[]): AsyncGenerator<RowBatch> {
  for (const text of texts) yield { columns: MOODS, rows: [[text]] };
}

Deno.test("UserTypes.follow() rejects at an array whose type it can't find out, and at nothing else", async () => {
  const message =
    'Cannot stream the column "m": its type couldn\'t be looked up on another session; read such a column by a query first, and in the transaction that has made the type';
  const refuses = new DatabaseError({ code: "53300", message: "full" });
  const open = () => Promise.reject(refuses);
  for (const text of ["{}", '{a,"b c"}', "[0:1]={a,b}", "[0:0][2:2]={{a}}"]) {
    const batches = new UserTypes(VALUES).follow(stream(null, text), open);
    assertEquals((await batches.next()).done, false);
    const error = await assertRejects(
      () => batches.next(),
      DatabaseError,
      message,
    );
    assertStrictEquals(error.cause, refuses);
  }
  const others = [null, "a", "(1,{})", "[1,2]", "[1,5)"];
  const batches = new UserTypes(VALUES).follow(stream(...others), open);
  assertEquals((await Array.fromAsync(batches)).length, others.length);
});

Deno.test("UserTypes.follow() leaves arrays as text where the catalog won't tell, or doesn't know them", async () => {
  const forbidden = catalog(() => {
    throw new DatabaseError({ code: "42501", message: "no" });
  });
  for (const session of [forbidden, catalog(() => [])]) {
    const types = new UserTypes(VALUES);
    const batches = types.follow(stream("{a}"), () => Promise.resolve(session));
    assertEquals((await Array.fromAsync(batches)).length, 1);
  }
});

for (const { driver, reason } of drivers) {
  databaseTest(
    `arrays of enums are arrays on ${driver.name}, however they are read`,
    async (admin, { options }) => {
      await admin.execute("CREATE SCHEMA app");
      await admin.execute(
        `CREATE TYPE app."Mood" AS ENUM ('ok', 'so "so"')`,
      );
      await admin.createTable("t", {
        id: "INT4 PRIMARY KEY",
        mood: 'app."Mood"',
        moods: 'app."Mood"[]',
      });
      const row = { id: 1, mood: "ok", moods: ["ok", 'so "so"', null] };
      const fresh = () =>
        new Database({ ...options, driver, pool: { max: 1 } });
      const reads: ((db: Database) => Promise<unknown>)[] = [
        (db) => db.insert("t", row),
        (db) => db.query("SELECT * FROM t").then(([first]) => first),
        (db) => db.queryOne("SELECT * FROM t WHERE id = $1", [1]),
        (db) => db.selectOne("t"),
        (db) => db.update("t", { mood: "ok" }, { id: 1 }).then(([one]) => one),
        (db) => db.pages("t").next().then(({ value }) => value?.[0]),
        (db) => only(db.stream("SELECT * FROM t")),
        (db) => db.transaction((tx) => tx.selectOne("t")),
        (db) => db.transaction((tx) => only(tx.stream("SELECT * FROM t"))),
        async (db) => {
          await db.delete("t", { id: 1 });
          const [one] = await db.batchInsert("t", [row], { returning: true });
          return one;
        },
      ];
      for (const read of reads) {
        await using db = fresh();
        assertEquals(await read(db), row, read.toString());
      }
    },
    { ignore: reason },
  );
}

for (const { driver, reason } of drivers) {
  databaseTest(
    `a transaction of ${driver.name} reads arrays of types that it has made itself, however they are read`,
    async (_, { options }) => {
      await using db = new Database({ ...options, driver, pool: { max: 1 } });
      await db.transaction(async (tx) => {
        for (const name of ["one", "two"]) {
          await tx.execute(`CREATE TYPE ${name} AS ENUM ('a', 'b')`);
          const text =
            `SELECT ARRAY['a'::${name}, 'b'] AS moods, 'a'::${name} AS mood`;
          const row = { moods: ["a", "b"], mood: "a" };
          assertEquals(await only(tx.stream(text)), row);
          assertEquals(await tx.queryOne(text), row);
        }
      });
    },
    { ignore: reason },
  );
}

databaseTest(
  "a transaction reads what it has made, and leaves text that only looks like an array as it is",
  async (db) => {
    await db.execute(
      "CREATE FUNCTION make() RETURNS void LANGUAGE plpgsql AS " +
        "$$ BEGIN CREATE TYPE mood AS ENUM ('a', '{a}'); END $$",
    );
    const cases: [making: string, type: string][] = [
      ["CREATE TABLE made (a INT); INSERT INTO made VALUES (1)", "made"],
      ["CREATE TEMP TABLE made AS SELECT 1 AS a", "made"],
      ["SELECT 1 AS a INTO made", "made"],
      [
        "-- first\nDO $$ BEGIN CREATE TABLE made AS SELECT 1 AS a; END $$",
        "made",
      ],
    ];
    for (const [making, type] of cases) {
      await db.transaction(async (tx) => {
        await tx.execute(making);
        const text = `SELECT array_agg(x) AS x FROM ${type} x`;
        assertEquals(await only(tx.stream(text)), { x: ["(1)"] }, making);
        assertEquals(await tx.queryOne(text), { x: ["(1)"] });
        await tx.execute(`DROP TABLE ${type}`);
      });
    }
    await db.transaction(async (tx) => {
      await tx.execute("CREATE TYPE span AS RANGE (subtype = float8)");
      await tx.execute("CREATE TYPE odd AS ENUM ('{a}')");
      const text = "SELECT span_multirange(span(1, 2)) AS s, '{a}'::odd AS o";
      assertEquals(await only(tx.stream(text)), { s: "{[1,2)}", o: "{a}" });
      await tx.query("SELECT make()");
      const made = "SELECT '{a}'::mood AS m";
      assertEquals(await only(tx.stream(made)), { m: "{a}" });
    });
  },
  { on: ["postgresql"] },
);

databaseTest(
  "Database asks for the types of a result once, and onQuery isn't told",
  async (admin, { options }) => {
    await admin.execute("CREATE TYPE mood AS ENUM ('a', 'b')");
    const events: QueryEvent[] = [];
    await using db = new Database({
      ...options,
      onQuery: (event) => events.push(event),
    });
    const text = "SELECT ARRAY['a'::mood] AS moods, 'b'::mood AS mood";
    for (let turn = 0; turn < 2; turn++) {
      assertEquals(await db.query(text), [{ moods: ["a"], mood: "b" }]);
    }
    assertEquals(events.map(({ text }) => text), [text, text]);
  },
);

databaseTest(
  "arrays of domains hold what the domains are made of, however many lie between",
  async (db) => {
    await db.execute("CREATE DOMAIN cents AS INT8");
    assertEquals(await db.queryOne("SELECT '{1,NULL}'::cents[] AS c"), {
      c: [1, null],
    });
    await db.execute("CREATE DOMAIN price AS cents");
    await db.execute("CREATE DOMAIN offer AS price");
    assertEquals(
      await db.queryOne("SELECT '{1}'::price[] AS p, '{2,NULL}'::offer[] AS o"),
      { p: [1], o: [2, null] },
    );
  },
  { on: ["postgresql"] },
);

databaseTest(
  "arrays of an extension's types are arrays",
  async (db) => {
    await db.execute("CREATE EXTENSION IF NOT EXISTS citext");
    assertEquals(await db.queryOne(`SELECT '{a,"b c"}'::citext[] AS c`), {
      c: ["a", "b c"],
    });
  },
  {
    on: ["postgresql"],
    ignore: await hasCitext() ? undefined : "the server has no citext",
  },
);

async function hasCitext(): Promise<boolean> {
  if (server.kind !== "postgresql") return false;
  await using db = new Database({ url: server.url });
  const found = await db.queryOne(
    "SELECT 1 FROM pg_available_extensions WHERE name = 'citext'",
  );
  return found !== undefined;
}
