/**
 * A `Database` as such: it opens, says where it is, serves many at once, and is the same on every
 * driver.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { Database } from "../../src/database/database.ts";
import { json } from "../../src/database/values.ts";
import { DatabaseError } from "../../src/errors.ts";
import { databaseTest, server } from "../support/database.ts";
import { drivers } from "../support/drivers.ts";
import { FakeDriver } from "../support/fake_driver.ts";

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
