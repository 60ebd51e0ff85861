/**
 * Every predicate on a real server: false before its statement, true after it.
 *
 * @module
 */

import { assert, assertEquals, assertExists } from "@std/assert";
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
