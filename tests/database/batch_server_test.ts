import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseError } from "../../src/errors.ts";
import { Database } from "../../src/database/database.ts";
import type { Driver } from "../../src/driver/driver.ts";
import { databaseTest } from "../support/database.ts";
import { drivers } from "../support/drivers.ts";

interface Sample {
  /** The column's type. */
  type: string;
  /** Values that come back as they went in. */
  values: unknown[];
}

const SAMPLES: Record<string, Sample> = {
  i2: { type: "INT2", values: [-32768, 0, null] },
  i4: { type: "INT4", values: [2147483647, null, 1] },
  i8: { type: "INT8", values: [2n ** 63n - 1n, 1, null] },
  f4: { type: "FLOAT4", values: [0.5, NaN, null] },
  f8: { type: "FLOAT8", values: [0.1, Infinity, null] },
  dec: { type: "DECIMAL(30, 5)", values: ["1.50000", "NaN", null] },
  bool: { type: "BOOL", values: [true, false, null] },
  text: { type: "TEXT", values: ['a"b\\c', "", null] },
  vc: { type: "VARCHAR(5)", values: ["ü€😀", "NULL", null] },
  ch: { type: "CHAR(3)", values: ["abc", "def", null] },
  bytes: {
    type: "BYTEA",
    values: [new Uint8Array([0, 92, 255]), new Uint8Array(), null],
  },
  bits: { type: "BIT(4)", values: ["1010", "0000", null] },
  varbits: { type: "VARBIT(6)", values: ["101010", "1", null] },
  uuid: {
    type: "UUID",
    values: ["6b1f7a52-3c0e-4a4e-9c39-5ba0d2f1c111", null, null],
  },
  json: {
    type: "JSONB",
    values: [{ a: [1, "x"] }, [1, [2, null], "y"], null],
  },
  date: { type: "DATE", values: ["2026-02-28", "0001-01-01", null] },
  time: { type: "TIME", values: ["12:34:56.789012", "00:00:00", null] },
  ts: {
    type: "TIMESTAMP",
    values: [new Date("2026-01-01T00:00:00.123Z"), new Date(0), null],
  },
  tz: {
    type: "TIMESTAMPTZ",
    values: [new Date("1999-12-31T23:59:59.999Z"), new Date(0), null],
  },
  iv: { type: "INTERVAL", values: ["01:02:03", "00:00:00", null] },
  ip: { type: "INET", values: ["10.0.0.1", "::1", null] },
  mood: { type: 'app."Mood"', values: ["ok", 'so "so", \\', null] },
};
const ARRAYS: Record<string, Sample> = {
  ints: { type: "INT8[]", values: [[1, null, -3], [], null] },
  texts: { type: "TEXT[]", values: [['a"b', "c,d", null, ""], [], null] },
  moods: {
    type: 'app."Mood"[]',
    values: [["ok", 'so "so", \\', null], [], null],
  },
};

type Row = Record<string, unknown>;

async function makeTable(
  db: Database,
  samples: Record<string, Sample>,
): Promise<Row[]> {
  await db.execute("CREATE SCHEMA app");
  await db.execute(
    `CREATE TYPE app."Mood" AS ENUM ('ok', 'so "so", \\')`,
  );
  const types = Object.entries(samples).map(([name, { type }]) => [name, type]);
  await db.createTable('app."My table"', {
    id: "INT4 PRIMARY KEY",
    ...Object.fromEntries(types),
  });
  return [0, 1, 2].map((id) => ({
    id,
    ...Object.fromEntries(
      Object.entries(samples).map(([name, { values }]) => [name, values[id]]),
    ),
  }));
}

for (
  const [what, samples] of Object.entries({
    "columns of every type": SAMPLES,
    "array columns beside others": { ...SAMPLES, ...ARRAYS },
  })
) {
  databaseTest(`batches write ${what} as insert() would`, async (db) => {
    const table = 'app."My table"';
    const rows = await makeTable(db, samples);
    assertEquals(await db.batchInsert(table, rows), 3);
    assertEquals(await db.select(table, { orderBy: "id" }), rows);
    const turned = rows.map((row, index) => ({
      ...rows[2 - index],
      id: row.id,
    }));
    assertEquals(await db.batchUpdate(table, turned), 3);
    assertEquals(await db.select(table, { orderBy: "id" }), turned);
    assertEquals(await db.batchDelete(table, [0, 2, 9]), 2);
    assertEquals(await db.select(table), [turned[1]]);
  });
}

databaseTest("batches find their rows by keys of many types", async (db) => {
  const keys = ["i8", "text", "uuid", "mood", "date", "bytes"];
  await makeTable(db, SAMPLES);
  for (const name of keys) {
    const { type, values: [value] } = SAMPLES[name];
    const table = `by_${name}`;
    await db.createTable(table, { key: `${type} PRIMARY KEY`, n: "INT4" });
    await db.batchInsert(table, [{ key: value, n: 1 }]);
    assertEquals(
      await db.batchUpdate(table, [{ key: value, n: 2 }], { key: "key" }),
      1,
    );
    assertEquals(await db.select(table), [{ key: value, n: 2 }]);
    assertEquals(await db.batchDelete(table, [value], { key: "key" }), 1);
  }
});

databaseTest(
  "batches refuse what is too long, and never cut it in silence",
  async (db) => {
    const cases: [string, unknown][] = [
      ["VARCHAR(3)", "abcd"],
      ["CHAR(3)", "abcd"],
      ["CHAR", "ab"],
      ["BIT(4)", "10101"],
      ["BIT", "10"],
      ["VARBIT(4)", "10101"],
    ];
    for (const [index, [type, value]] of cases.entries()) {
      const table = `t${index}`;
      await db.createTable(table, {
        id: "INT4 PRIMARY KEY",
        v: type,
        a: "INT8[]",
      });
      await assertRejects(
        () => db.batchInsert(table, [{ id: 1, v: value }]),
        DatabaseError,
      );
      await assertRejects(
        () => db.batchInsert(table, [{ id: 1, v: value, a: [1] }]),
        DatabaseError,
      );
      await db.insert(table, { id: 1, v: null });
      await assertRejects(
        () => db.batchUpdate(table, [{ id: 1, v: value }]),
        DatabaseError,
      );
      assertEquals(await db.select(table), [{ id: 1, v: null, a: null }], type);
    }
  },
);

databaseTest(
  "Database.batchInsert() inserts ten thousand rows, and returns what is asked for",
  async (db) => {
    await db.createTable("t", { id: "INT4 PRIMARY KEY", name: "TEXT" });
    const rows = Array.from(
      { length: 10_000 },
      (_, id) => ({ id, name: `n ${id}` }),
    );
    const returned = await db.batchInsert<{ id: number }>("t", rows, {
      returning: ["id"],
    });
    assertEquals(
      returned.map(({ id }) => id).sort((a, b) => a - b),
      rows.map(({ id }) => id),
    );
    assertEquals(await db.count("t"), 10_000);
    const [first] = await db.batchInsert("t", [{ id: -1, name: null }], {
      returning: true,
    });
    assertEquals(first, { id: -1, name: null });
    await db.delete("t", { id: -1 });
    const ids = rows.map(({ id }) => id);
    assertEquals(await db.batchDelete("t", ids, { chunkSize: 2_500 }), 10_000);
  },
);

databaseTest(
  "Batches of wide rows keep to the server's limit of a message",
  async (db) => {
    await db.createTable("t", {
      id: "INT4 PRIMARY KEY",
      text: "TEXT",
      data: "JSONB",
    });
    const rows = Array.from(
      { length: 1_000 },
      (_, id) => ({ id, text: `${id} `.padEnd(17_000, "wide") }),
    );
    assertEquals(await db.batchInsert("t", rows), 1_000);
    assertEquals(await db.selectOne("t", { where: { id: 999 } }), {
      ...rows[999],
      data: null,
    });
    const documents = rows.map(({ id, text }) => ({ id, data: { text } }));
    assertEquals(await db.batchUpdate("t", documents), 1_000);
  },
);

/** A driver whose INSERTs are counted while they run. */
function countInserts(driver: Driver): { driver: Driver; most(): number } {
  let running = 0;
  let most = 0;
  return {
    driver: {
      name: driver.name,
      async connect(...args) {
        const session = await driver.connect(...args);
        const query = session.query.bind(session);
        session.query = async (text, ...rest) => {
          if (!text.startsWith("INSERT")) return await query(text, ...rest);
          most = Math.max(most, ++running);
          return await query(text, ...rest).finally(() => running--);
        };
        return session;
      },
    },
    most() {
      const seen = most;
      most = 0;
      return seen;
    },
  };
}

databaseTest(
  "Database.batchInsert() runs four chunks at once, and a transaction one after another",
  async (db, { options }) => {
    await db.createTable("t", { id: "INT4 PRIMARY KEY" });
    const rows = Array.from({ length: 12 }, (_, id) => ({ id }));
    const { driver } = drivers.find(({ reason }) => reason === undefined)!;
    const inserts = countInserts(driver);
    await using counted = new Database({ ...options, driver: inserts.driver });
    // Connections that are still being opened would hide how many statements run at once.
    const { promise: allThere, resolve } = Promise.withResolvers<void>();
    let sessions = 0;
    const meet = () => {
      if (++sessions === 8) resolve();
      return allThere;
    };
    await Promise.all(
      Array.from({ length: 8 }, () => counted.withSession(meet)),
    );
    await counted.batchInsert("t", rows, { chunkSize: 1 });
    assertEquals(inserts.most(), 4);
    await db.delete("t", {}, { all: true });
    await counted.transaction((tx) =>
      tx.batchInsert("t", rows, { chunkSize: 1 })
    );
    assertEquals(inserts.most(), 1);
    assertEquals(await db.count("t"), 12);
  },
);

databaseTest(
  "Database.batchInsert() stops at the first chunk that fails",
  async (db) => {
    await db.createTable("t", { id: "INT4 PRIMARY KEY" });
    const rows = Array.from(
      { length: 1_000 },
      (_, id) => ({ id: Math.max(id, 5) }),
    );
    const error = await assertRejects(
      () => db.batchInsert("t", rows, { chunkSize: 1 }),
      DatabaseError,
    );
    assertEquals(error.kind, "unique-violation");
    assert(await db.count("t") < 20);
    await assertRejects(
      () =>
        db.transaction((tx) =>
          tx.batchInsert("t", [{ id: 2000 }, { id: 2000 }])
        ),
      DatabaseError,
    );
    assertEquals(await db.count("t", { where: { id: 2000 } }), 0);
  },
);

databaseTest("batches of nothing do nothing", async (db) => {
  assertEquals(await db.batchInsert("missing", []), 0);
  assertEquals(await db.batchInsert("missing", [], { returning: ["*"] }), []);
  assertEquals(await db.batchUpdate("missing", []), 0);
  assertEquals(await db.batchDelete("missing", []), 0);
});

databaseTest(
  "batches name a table or a column that isn't there",
  async (db) => {
    const error = await assertRejects(
      () => db.batchInsert("missing", [{ id: 1 }]),
      DatabaseError,
    );
    assertEquals(error.kind, "undefined");
    await db.createTable("t", { id: "INT4" });
    await assertRejects(
      () => db.batchInsert("t", [{ nmae: 1 }]),
      TypeError,
      "Cannot write t.nmae: there is no such column; it has id",
    );
  },
);

databaseTest(
  "What keeps a batch from being written comes before what is wrong with its rows",
  async (_db, { options }) => {
    const db = new Database(options);
    await db.close();
    const uneven = [{ id: 1 }, { name: "a" }];
    const error = await assertRejects(
      () => db.batchInsert("t", uneven),
      DatabaseError,
    );
    assertEquals(error.code, "08003");
  },
);

databaseTest(
  "A batch has the rows that it was given, whatever becomes of the list",
  async (db) => {
    await db.execute("CREATE TABLE t (id INT8 PRIMARY KEY)");
    const rows = [{ id: 1 }, { id: 2 }];
    const written = db.batchInsert("t", rows);
    rows.length = 0;
    assertEquals(await written, 2);
  },
);
