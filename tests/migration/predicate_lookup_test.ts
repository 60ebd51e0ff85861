/**
 * Where predicates look on a real server, and what they find: search paths and other databases, names
 * that two have or none, types by other names, and jobs that are under way.
 *
 * @module
 */

import { assert, assertEquals, assertExists, assertRejects } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import { DatabaseError } from "../../src/errors.ts";
import { catalogType } from "../../src/migration/column_type.ts";
import { predicateOf } from "../../src/migration/predicate.ts";
import { classify } from "../../src/migration/statement.ts";
import { databaseTest } from "../support/database.ts";

/** Whether the catalog holds a statement's effects. */
async function isDone(db: Database, sql: string): Promise<boolean> {
  const { kind } = await db.server();
  const predicate = predicateOf(classify(sql).effects ?? [], kind);
  assertExists(predicate, `${sql}: no predicate`);
  const [{ held }] = await db.query<{ held: boolean }>(
    `SELECT (${predicate}) AS held`,
  );
  return held;
}

databaseTest(
  "predicateOf() looks where the search path leads, and CREATE only in its first schema",
  async (_db, { options }) => {
    await using db = new Database({ ...options, pool: { max: 1 } });
    await db.execute("CREATE SCHEMA first");
    await db.execute("CREATE SCHEMA second");
    await db.execute("CREATE TABLE second.t (id INT8 PRIMARY KEY, a INT8)");
    await db.execute("SET search_path = first, second");
    assertEquals(await isDone(db, "CREATE TABLE t ()"), false);
    assertEquals(await isDone(db, "DROP TABLE t"), false);
    assertEquals(await isDone(db, "ALTER TABLE t ADD COLUMN a INT8"), true);
    await db.execute("CREATE TABLE t (id INT8 PRIMARY KEY)");
    assertEquals(await isDone(db, "CREATE TABLE t ()"), true);
    assertEquals(await isDone(db, "ALTER TABLE t ADD COLUMN a INT8"), false);
    await db.execute("DROP TABLE second.t");
    const move = "ALTER TABLE t SET SCHEMA second";
    assertEquals(await isDone(db, move), false);
    await db.execute(move);
    assertEquals(await isDone(db, move), true);
  },
);

databaseTest(
  "predicateOf() tells an index without a name by its columns and uniqueness",
  async (db) => {
    await db.execute("CREATE TABLE t (id INT8 PRIMARY KEY, a INT8, b INT8)");
    await db.execute("CREATE INDEX t_ab ON t (a, b)");
    await db.execute("CREATE UNIQUE INDEX t_b ON t (b)");
    const done = {
      "CREATE INDEX ON t (a, b)": true,
      "CREATE INDEX ON t (a)": false,
      "CREATE INDEX ON t (b, a)": false,
      "CREATE INDEX ON t (b)": false,
      "CREATE UNIQUE INDEX ON t (b)": true,
      "CREATE UNIQUE INDEX ON t (id)": false,
      "CREATE INDEX ON t (c)": false,
    };
    for (const [sql, expected] of Object.entries(done)) {
      assertEquals(await isDone(db, sql), expected, sql);
    }
  },
);

databaseTest(
  "predicateOf() tells that a default is gone",
  async (db) => {
    await db.execute("CREATE TABLE t (a INT8 DEFAULT 1)");
    const sql = "ALTER TABLE t ALTER COLUMN a DROP DEFAULT";
    assertEquals(await isDone(db, sql), false);
    await db.execute(sql);
    assertEquals(await isDone(db, sql), true);
  },
);

databaseTest(
  "predicateOf() doesn't fail where two tables have an index of one name",
  async (db) => {
    await db.execute("CREATE TABLE t (a INT8, INDEX same (a))");
    await db.execute("CREATE TABLE u (a INT8, INDEX same (a))");
    const sql = "COMMENT ON INDEX public.same IS 'x'";
    assertEquals(await isDone(db, sql), false);
    assertEquals(await isDone(db, "DROP INDEX public.same"), false);
    assertEquals(await isDone(db, "COMMENT ON INDEX same IS 'x'"), false);
  },
  { on: ["cockroachdb"] },
);

databaseTest(
  "predicateOf() takes an invalid index for neither made nor dropped",
  async (db) => {
    await db.execute("CREATE TABLE t (a INT8)");
    await db.execute("INSERT INTO t VALUES (1), (1)");
    const sql = "CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)";
    await assertRejects(
      () => db.execute(sql),
      DatabaseError,
      "could not create",
    );
    assertEquals(await isDone(db, sql), false);
    assertEquals(await isDone(db, "DROP INDEX t_a"), false);
  },
  { on: ["postgresql"] },
);

/** Whether a schema change of the database has begun and waits for other transactions. */
async function isWaiting(db: Database): Promise<boolean> {
  const rows = await db.query(
    "WITH j AS (SHOW JOBS) SELECT 1 FROM j WHERE status = 'running' " +
      "AND running_status LIKE 'waiting in%' AND description LIKE $1",
    [`%${db.config.database}%`],
  );
  return rows.length > 0;
}

databaseTest(
  "predicateOf() is false while a job is still making something",
  async (db, { options }) => {
    await db.execute("CREATE TABLE t (id INT8 PRIMARY KEY, a INT8 NOT NULL)");
    await using other = new Database({ ...options, pool: { max: 1 } });
    for (
      const sql of [
        "CREATE INDEX i ON t (a)",
        "CREATE INDEX ON t (a, id)",
        "ALTER TABLE t ADD COLUMN c INT8 DEFAULT 1",
        "ALTER TABLE t ADD CONSTRAINT u UNIQUE (a)",
        "ALTER TABLE t ADD UNIQUE (a, id)",
        "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0)",
        "ALTER TABLE t ALTER PRIMARY KEY USING COLUMNS (a)",
      ]
    ) {
      let change: Promise<unknown> | undefined;
      await other.transaction(async (tx) => {
        // A schema change stands behind a transaction that has read the table.
        await tx.query("SELECT count(*) FROM t");
        change = db.execute(sql);
        const start = performance.now();
        while (!await isWaiting(db)) {
          assert(performance.now() - start < 60_000, `${sql}: no job`);
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        assertEquals(await isDone(db, sql), false, sql);
      });
      await change;
      assertEquals(await isDone(db, sql), true, sql);
    }
  },
  { on: ["cockroachdb"] },
);

const TYPES = [
  ..."BOOL boolean INT2 smallint INT4 INT integer INT8 bigint FLOAT4 real FLOAT8 FLOAT TEXT"
    .split(" "),
  ..."DECIMAL NUMERIC(10) dec(10,2) numeric(5,0) VARCHAR varchar(20) CHAR char(3) BYTEA DATE"
    .split(" "),
  ..."TIME time(3) TIMETZ TIMESTAMP timestamp(0) TIMESTAMPTZ timestamptz(6) INTERVAL UUID JSONB"
    .split(" "),
  ..."JSON INET BIT bit(3) VARBIT varbit(4) INT[] TEXT[] varchar(3)[] DECIMAL(10,2)[]"
    .split(" "),
  ..."STRING string(20) BYTES BLOB INT64 TIMESTAMP(3)[] xml CIDR money".split(
    " ",
  ),
  "DOUBLE PRECISION",
  "CHARACTER VARYING ( 20 )",
  "CHARACTER(3)",
  "BIT VARYING(4)",
  "TIMESTAMP WITH TIME ZONE",
  "TIMESTAMP(3) WITH TIME ZONE",
  "time (2) without time zone",
  "TIME WITH TIME ZONE",
  "INT ARRAY",
];

databaseTest("catalogType() names types as the server does", async (db) => {
  const { kind } = await db.server();
  const known = TYPES.filter((type) => catalogType(type, kind) !== undefined);
  assert(known.length > 45);
  const columns = known.map((type, i) => `c${i} ${type}`);
  await db.execute(`CREATE TABLE t (${columns.join(", ")})`);
  for (const [i, type] of known.entries()) {
    const sql = `ALTER TABLE t ALTER COLUMN c${i} TYPE ${type}`;
    assertEquals(await isDone(db, sql), true, sql);
  }
  assertEquals(await isDone(db, "ALTER TABLE t ALTER c0 TYPE INT2"), false);
});

databaseTest(
  "predicateOf() can't tell of an object in another database",
  async (db, { name }) => {
    const held = async (sql: string) => {
      const predicate = predicateOf(
        classify(sql).effects ?? [],
        "cockroachdb",
      );
      return (await db.query(`SELECT (${predicate}) AS held`))[0].held;
    };
    const other = `${name}_other`;
    assertEquals(await held(`CREATE TABLE ${other}.n (id INT)`), null);
    assertEquals(await held(`CREATE TABLE ${other}.public.n (id INT)`), null);
    assertEquals(await held(`DROP TABLE ${other}.n`), null);
    assertEquals(await held(`CREATE TABLE ${name}.n (id INT)`), false);
    assertEquals(await held("CREATE TABLE public.n (id INT)"), false);
    await db.execute("CREATE TABLE n (id INT)");
    assertEquals(await held(`CREATE TABLE ${name}.n (id INT)`), true);
    assertEquals(await held("CREATE TABLE public.n (id INT)"), true);
  },
  { on: ["cockroachdb"] },
);
