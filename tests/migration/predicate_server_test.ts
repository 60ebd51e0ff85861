/**
 * Every predicate on a real server: false before its statement, true after it.
 *
 * @module
 */

import { assert, assertEquals, assertExists, assertRejects } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import { DatabaseError } from "../../src/errors.ts";
import { catalogType } from "../../src/migration/column_type.ts";
import { predicateOf } from "../../src/migration/predicate.ts";
import type { ServerKind } from "../../src/migration/server.ts";
import { classify } from "../../src/migration/statement.ts";
import { databaseTest } from "../support/database.ts";

const SETUP = [
  "CREATE SCHEMA app",
  "CREATE TABLE t (id INT8 PRIMARY KEY, a TEXT DEFAULT 'x', b INT8 NOT NULL, c DECIMAL(10,2), " +
  "d TIMESTAMP, CONSTRAINT t_b_check CHECK (b > 0))",
  "INSERT INTO t (id, b) VALUES (1, 1), (2, 2)",
  'CREATE TABLE app."Big One" (id INT8 PRIMARY KEY, "T x" INT8)',
  "CREATE INDEX t_c_idx ON t (c)",
  "CREATE TABLE source (id INT8 PRIMARY KEY, a TEXT)",
  "CREATE VIEW v AS SELECT id FROM source",
  "CREATE SEQUENCE s",
  "CREATE TYPE mood AS ENUM ('sad', 'ok')",
];

interface Pair {
  /** The statement, and the one that undoes it. */
  readonly sql: readonly [string, string];
  /** The server that knows it; both where it is absent. */
  readonly on?: ServerKind;
}

function both(forth: string, back: string): Pair {
  return { sql: [forth, back] };
}

function on(kind: ServerKind, forth: string, back: string): Pair {
  return { sql: [forth, back], on: kind };
}

/** `this_db` stands for the database; `this_db_a` and `this_db_b` are roles. */
const PAIRS: readonly Pair[] = [
  both("CREATE TABLE n (id INT8 PRIMARY KEY)", "DROP TABLE n"),
  both("CREATE TABLE app.n (id INT8 PRIMARY KEY)", "DROP TABLE app.n"),
  both("CREATE TABLE n AS SELECT id FROM t", "DROP TABLE IF EXISTS n"),
  on(
    "cockroachdb",
    "CREATE TABLE this_db.n (id INT PRIMARY KEY)",
    "DROP TABLE n",
  ),
  on(
    "cockroachdb",
    "CREATE TABLE this_db.public.n (id INT PRIMARY KEY)",
    "DROP TABLE this_db.n",
  ),
  on("postgresql", "SELECT id INTO n FROM t", "DROP TABLE n"),
  both(
    "ALTER TABLE t RENAME TO renamed_t",
    "ALTER TABLE renamed_t RENAME TO t",
  ),
  both(
    'ALTER TABLE app."Big One" RENAME TO small',
    'ALTER TABLE app.small RENAME TO "Big One"',
  ),
  both(
    'ALTER TABLE app."Big One" SET SCHEMA public',
    'ALTER TABLE "Big One" SET SCHEMA app',
  ),
  both("CREATE SCHEMA other", "DROP SCHEMA other"),
  both("ALTER SCHEMA app RENAME TO ppa", "ALTER SCHEMA ppa RENAME TO app"),
  both("CREATE DATABASE this_db_other", "DROP DATABASE this_db_other"),
  both("CREATE ROLE this_db_x", "DROP ROLE this_db_x"),
  both("CREATE SEQUENCE app.s", "DROP SEQUENCE app.s"),
  both("ALTER SEQUENCE s RENAME TO z", "ALTER SEQUENCE z RENAME TO s"),
  both("CREATE VIEW w AS SELECT a FROM source", "DROP VIEW w"),
  both("ALTER VIEW v RENAME TO w", "ALTER VIEW w RENAME TO v"),
  both(
    "CREATE MATERIALIZED VIEW m AS SELECT a FROM source",
    "DROP MATERIALIZED VIEW m",
  ),
  both("CREATE TYPE light AS ENUM ('red')", "DROP TYPE light"),
  both("ALTER TYPE mood RENAME TO temper", "ALTER TYPE temper RENAME TO mood"),
  both(
    "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'",
    "ALTER TYPE mood RENAME VALUE 'blue' TO 'sad'",
  ),
  on(
    "cockroachdb",
    "ALTER TYPE mood ADD VALUE 'it''s \\fine'",
    "ALTER TYPE mood DROP VALUE 'it''s \\fine'",
  ),
  on(
    "postgresql",
    "CREATE TYPE app.pair AS (a INT, b INT)",
    "DROP TYPE app.pair",
  ),
  on("postgresql", "CREATE DOMAIN small AS INT", "DROP DOMAIN small"),
  on(
    "postgresql",
    "CREATE DOMAIN tiny AS INT",
    "ALTER DOMAIN tiny ADD CONSTRAINT c CHECK (VALUE < 9) NOT VALID",
  ),
  on(
    "postgresql",
    "ALTER DOMAIN tiny VALIDATE CONSTRAINT c",
    "ALTER DOMAIN tiny RENAME CONSTRAINT c TO k",
  ),
  on(
    "postgresql",
    "ALTER DOMAIN tiny DROP CONSTRAINT k",
    "ALTER DOMAIN tiny ADD CONSTRAINT k CHECK (VALUE < 9)",
  ),
  on(
    "postgresql",
    "DROP DOMAIN tiny",
    "CREATE TABLE keyless (id INT NOT NULL)",
  ),
  on(
    "postgresql",
    "CREATE UNIQUE INDEX keyless_id ON keyless (id)",
    "ALTER TABLE keyless ADD PRIMARY KEY USING INDEX keyless_id",
  ),
  on("postgresql", "DROP TABLE keyless", "CREATE TABLE one (a INT)"),
  on(
    "postgresql",
    "CREATE TABLE two (b INT)",
    "CREATE TABLE kid (a INT, b INT)",
  ),
  on(
    "postgresql",
    "ALTER TABLE kid INHERIT one, INHERIT two",
    "ALTER TABLE kid NO INHERIT one, NO INHERIT two",
  ),
  on("postgresql", "DROP TABLE one, two", "DROP TABLE kid"),
  on("postgresql", "CREATE EXTENSION pg_trgm", "DROP EXTENSION pg_trgm"),
  both(
    "ALTER TABLE t ADD COLUMN e INT8 NOT NULL DEFAULT 7",
    "ALTER TABLE t DROP COLUMN e",
  ),
  both(
    "ALTER TABLE t ADD COLUMN e INT8, ADD f VARCHAR(20)",
    "ALTER TABLE t DROP COLUMN e, DROP COLUMN f",
  ),
  both(
    'ALTER TABLE app."Big One" ADD COLUMN IF NOT EXISTS "E" INT8',
    'ALTER TABLE app."Big One" DROP COLUMN "E"',
  ),
  both(
    "ALTER TABLE t RENAME COLUMN a TO aa",
    "ALTER TABLE t RENAME COLUMN aa TO a",
  ),
  both(
    "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
    "ALTER TABLE t ALTER COLUMN a DROP NOT NULL",
  ),
  both(
    "ALTER TABLE t ALTER COLUMN c TYPE DECIMAL(12, 2)",
    "ALTER TABLE t ALTER COLUMN c SET DATA TYPE NUMERIC",
  ),
  on(
    "postgresql",
    "ALTER TABLE t ALTER d TYPE TIMESTAMP(3)",
    "ALTER TABLE t ALTER d TYPE TIMESTAMP WITHOUT TIME ZONE",
  ),
  both("CREATE INDEX t_b ON t (b)", "DROP INDEX t_b"),
  on(
    "cockroachdb",
    "CREATE INDEX t_b ON t (b) STORING (c)",
    "DROP INDEX t@t_b",
  ),
  on(
    "cockroachdb",
    "CREATE UNIQUE INDEX t_b ON t (b)",
    "DROP INDEX t@t_b CASCADE",
  ),
  on(
    "postgresql",
    "CREATE UNIQUE INDEX CONCURRENTLY t_b ON t (b)",
    "DROP INDEX CONCURRENTLY t_b",
  ),
  both("CREATE INDEX ON t (b, c DESC)", "DROP INDEX t_b_c_idx"),
  both(
    'CREATE INDEX "By T" ON app."Big One" ("T x")',
    'DROP INDEX app."By T"',
  ),
  both(
    "ALTER INDEX t_c_idx RENAME TO t_c_new",
    "ALTER INDEX t_c_new RENAME TO t_c_idx",
  ),
  on(
    "cockroachdb",
    "ALTER INDEX t@t_c_idx RENAME TO t_c_new",
    "ALTER INDEX t@t_c_new RENAME TO t_c_idx",
  ),
  both(
    "ALTER TABLE t ADD CONSTRAINT big CHECK (b < 9)",
    "ALTER TABLE t DROP CONSTRAINT big",
  ),
  both(
    "ALTER TABLE t ADD CONSTRAINT big CHECK (b < 9) NOT VALID",
    "ALTER TABLE t DROP CONSTRAINT big",
  ),
  both(
    "ALTER TABLE t RENAME CONSTRAINT t_b_check TO t_b_new",
    "ALTER TABLE t RENAME CONSTRAINT t_b_new TO t_b_check",
  ),
  both(
    'ALTER TABLE app."Big One" ADD CONSTRAINT fk FOREIGN KEY ("T x") REFERENCES public.t (id)',
    'ALTER TABLE app."Big One" DROP CONSTRAINT fk',
  ),
  both(
    'ALTER TABLE app."Big One" ADD FOREIGN KEY ("T x") REFERENCES public.t (id)',
    'ALTER TABLE app."Big One" DROP CONSTRAINT "Big One_T x_fkey"',
  ),
  on(
    "postgresql",
    "ALTER TABLE t ADD CONSTRAINT u UNIQUE (b)",
    "ALTER TABLE t DROP CONSTRAINT u",
  ),
  on(
    "cockroachdb",
    "ALTER TABLE t ADD CONSTRAINT u UNIQUE (b)",
    "DROP INDEX t@u CASCADE",
  ),
  on(
    "cockroachdb",
    "ALTER TABLE t ALTER PRIMARY KEY USING COLUMNS (b)",
    "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (id)",
  ),
  on(
    "postgresql",
    "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (b)",
    "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (id)",
  ),
  both("COMMENT ON TABLE t IS 'it''s'", "COMMENT ON TABLE t IS NULL"),
  both("COMMENT ON COLUMN t.b IS 'a\\b'", "COMMENT ON COLUMN t.b IS NULL"),
  on(
    "postgresql",
    "COMMENT ON INDEX t_c_idx IS 'i'",
    "COMMENT ON INDEX t_c_idx IS NULL",
  ),
  on(
    "cockroachdb",
    "COMMENT ON INDEX t@t_c_idx IS 'i'",
    "COMMENT ON INDEX t@t_c_idx IS NULL",
  ),
  both(
    "COMMENT ON CONSTRAINT t_b_check ON t IS 'c'",
    "COMMENT ON CONSTRAINT t_b_check ON t IS NULL",
  ),
  both(
    "COMMENT ON DATABASE this_db IS 'd'",
    "COMMENT ON DATABASE this_db IS NULL",
  ),
  on("postgresql", "COMMENT ON VIEW v IS 'v'", "COMMENT ON VIEW v IS NULL"),
  on(
    "postgresql",
    "COMMENT ON TYPE mood IS 'm'",
    "COMMENT ON TYPE mood IS NULL",
  ),
  on(
    "postgresql",
    "COMMENT ON SCHEMA app IS 's'",
    "COMMENT ON SCHEMA app IS NULL",
  ),
  both(
    "GRANT SELECT, INSERT ON t TO this_db_a",
    "REVOKE SELECT, INSERT ON t FROM this_db_a",
  ),
  both(
    "GRANT ALL ON TABLE t TO this_db_a",
    "REVOKE ALL ON TABLE t FROM this_db_a",
  ),
  both(
    'GRANT SELECT ON t, app."Big One" TO this_db_a, this_db_b',
    'REVOKE SELECT ON t, app."Big One" FROM this_db_a, this_db_b',
  ),
  both(
    "GRANT USAGE ON SCHEMA app TO this_db_a",
    "REVOKE USAGE ON SCHEMA app FROM this_db_a",
  ),
  both("GRANT this_db_a TO this_db_b", "REVOKE this_db_a FROM this_db_b"),
  on(
    "postgresql",
    "GRANT USAGE, SELECT ON SEQUENCE s TO this_db_a",
    "REVOKE ALL ON SEQUENCE s FROM this_db_a",
  ),
  on(
    "postgresql",
    "GRANT ALL ON SCHEMA app TO this_db_a",
    "REVOKE ALL ON SCHEMA app FROM this_db_a",
  ),
  on(
    "postgresql",
    "GRANT CREATE ON DATABASE this_db TO this_db_a",
    "REVOKE CREATE ON DATABASE this_db FROM this_db_a",
  ),
  on(
    "postgresql",
    "REVOKE USAGE ON TYPE mood FROM PUBLIC",
    "GRANT USAGE ON TYPE mood TO PUBLIC",
  ),
  on(
    "postgresql",
    "CREATE FUNCTION f() RETURNS INT LANGUAGE SQL AS 'SELECT 1'",
    "DROP FUNCTION f",
  ),
  on(
    "postgresql",
    "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "DROP TRIGGER g ON t",
  ),
  on(
    "postgresql",
    "CREATE POLICY p ON t FOR SELECT USING (true)",
    "DROP POLICY p ON t",
  ),
];

databaseTest(
  "predicateOf() is false before every statement and true after it",
  async (db, { name: database }) => {
    const { kind } = await db.server();
    await db.execute("CREATE TABLE probe (held BOOL)");
    await db.execute("INSERT INTO probe VALUES (NULL)");
    const names = (sql: string) => sql.replaceAll("this_db", database);
    const pairs = PAIRS.filter((pair) => (pair.on ?? kind) === kind)
      .map(({ sql }) => sql.map(names));
    const predicateFor = (sql: string) => {
      const predicate = predicateOf(classify(sql).effects ?? [], kind);
      assertExists(predicate, `${sql}: no predicate`);
      return predicate;
    };
    // As the journal asks before a statement, and as a run asks after it.
    const before = async (sql: string) =>
      (await db.query(
        `UPDATE probe SET held = (${predicateFor(sql)}) RETURNING held`,
      ))[0].held;
    const after = async (sql: string) =>
      (await db.query(`SELECT (${predicateFor(sql)}) AS held`))[0].held;
    const everything = pairs.flat().map((sql, i) =>
      `(${predicateFor(sql)}) AS p${i}`
    );
    const [answers] = await db.query(`SELECT ${everything.join(", ")}`);
    for (const [i, sql] of pairs.flat().entries()) {
      // On CockroachDB what isn't a schema here may be another database.
      const isElsewhere = kind === "cockroachdb" && /\bapp\b/.test(sql);
      const { [`p${i}`]: answer } = answers;
      assert(
        typeof answer === "boolean" || (answer === null && isElsewhere),
        `${sql}: on an empty database`,
      );
    }
    for (const sql of SETUP) await db.execute(sql);
    await db.execute(`CREATE ROLE ${database}_a`);
    await db.execute(`CREATE ROLE ${database}_b`);
    try {
      for (const sql of pairs.flat()) {
        assertEquals(await before(sql), false, `${sql}: before`);
        await db.execute(sql);
        assertEquals(await after(sql), true, `${sql}: after`);
      }
    } finally {
      for (const role of ["a", "b"]) {
        if (kind === "postgresql") {
          await db.execute(
            `DROP OWNED BY ${database}_${role}`,
          );
        }
        await db.execute(`DROP ROLE ${database}_${role}`);
      }
    }
  },
);

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
