/**
 * What kind of statement a text is, and how it may be run.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { SqlTextError } from "../../src/errors.ts";
import { classify, type StatementKind } from "../../src/migration/statement.ts";

/** Statements by kind, each with its verb. */
const KINDS: Record<StatementKind, [sql: string, verb: string][]> = {
  transaction: [
    ["begin", "BEGIN"],
    ["BEGIN ISOLATION LEVEL SERIALIZABLE", "BEGIN"],
    ["START TRANSACTION READ ONLY", "START TRANSACTION"],
    ["SET TRANSACTION PRIORITY HIGH", "SET TRANSACTION"],
    ["COMMIT", "COMMIT"],
    ["COMMIT PREPARED 'x'", "COMMIT PREPARED"],
    ["END TRANSACTION", "END"],
    ["ROLLBACK TO SAVEPOINT a", "ROLLBACK"],
    ["ABORT", "ABORT"],
    ["SAVEPOINT cockroach_restart", "SAVEPOINT"],
    ["RELEASE SAVEPOINT a", "RELEASE"],
    ["PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION"],
  ],
  session: [
    ["SELECT set_config('a.b', 'x', false)", "SELECT"],
    [
      "SELECT pg_catalog.set_config('a', '', false), set_config('b', '', true)",
      "SELECT",
    ],
    ["SET search_path = app", "SET"],
    ["SET ROLE bob", "SET"],
    ["RESET ALL", "RESET"],
    ["USE db", "USE"],
    ["DISCARD ALL", "DISCARD ALL"],
    ["PREPARE p AS SELECT 1", "PREPARE"],
  ],
  utility: [
    ["SET CLUSTER SETTING kv.x = true", "SET CLUSTER SETTING"],
    ["VACUUM t", "VACUUM"],
    ["ANALYZE t", "ANALYZE"],
    ["BACKUP INTO 'x'", "BACKUP"],
    ["RESTORE FROM LATEST IN 'x'", "RESTORE"],
    ["IMPORT INTO t CSV DATA ('x')", "IMPORT"],
    ["ALTER SYSTEM SET a = 1", "ALTER SYSTEM"],
    ["CREATE CHANGEFEED FOR TABLE t INTO 'x'", "CREATE CHANGEFEED"],
    ["LOCK TABLE t", "LOCK"],
    ["FROBNICATE t", "FROBNICATE"],
    ["", ""],
  ],
  query: [
    ["SELECT set_config('a', 'x', false), f()", "SELECT"],
    ["SELECT set_config('a', 'x', false) FROM t", "SELECT"],
    ["SELECT 1", "SELECT"],
    ["((SELECT 1) UNION SELECT 2)", "SELECT"],
    ["SELECT update, t.delete FROM t FOR UPDATE", "SELECT"],
    ["WITH a AS (SELECT 1) SELECT * FROM a", "SELECT"],
    ["TABLE t", "TABLE"],
    ["VALUES (1)", "VALUES"],
    ["SHOW JOBS", "SHOW"],
    ["EXPLAIN DELETE FROM t", "EXPLAIN"],
    ["EXPLAIN (DDL) CREATE TABLE t (a INT)", "EXPLAIN"],
    ["EXPLAIN ANALYZE SELECT 1", "EXPLAIN"],
  ],
  data: [
    ["INSERT INTO t VALUES (1)", "INSERT"],
    ["/* a */ upsert INTO t VALUES (1)", "UPSERT"],
    ["UPDATE t SET a = 1", "UPDATE"],
    ["DELETE FROM t", "DELETE"],
    ["MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE", "MERGE"],
    ["COPY t FROM '/x'", "COPY"],
    ["CALL p()", "CALL"],
    ["DO $$ BEGIN END $$", "DO"],
    ["WITH a AS (SELECT 1) UPDATE t SET b = 1", "UPDATE"],
    [
      "WITH a AS MATERIALIZED (DELETE FROM t RETURNING b) SELECT * FROM a",
      "DELETE",
    ],
    ["SELECT * FROM [INSERT INTO t VALUES (1) RETURNING a]", "INSERT"],
    ["EXPLAIN ANALYZE (DEBUG) DELETE FROM t", "EXPLAIN"],
    ["EXPLAIN (VERBOSE, ANALYZE) DELETE FROM t", "EXPLAIN"],
  ],
  ddl: [
    ["CREATE TABLE t (a INT)", "CREATE TABLE"],
    ["CREATE TABLE t (a) AS SELECT 1", "CREATE TABLE AS"],
    ["CREATE TABLE t (a INT, b INT AS (a) STORED)", "CREATE TABLE"],
    ["SELECT 1 AS a INTO t", "SELECT INTO"],
    ["CREATE UNIQUE INDEX i ON t (a)", "CREATE INDEX"],
    ["CREATE UNLOGGED TABLE t (a INT)", "CREATE TABLE"],
    ["CREATE STATISTICS s ON a FROM t", "CREATE STATISTICS"],
    ["CREATE OR REPLACE VIEW v AS SELECT 1", "CREATE VIEW"],
    ["DROP MATERIALIZED VIEW v", "DROP MATERIALIZED VIEW"],
    [
      "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO a",
      "ALTER DEFAULT PRIVILEGES",
    ],
    [
      "ALTER RANGE default CONFIGURE ZONE USING gc.ttlseconds = 1",
      "ALTER RANGE",
    ],
    ["TRUNCATE t CASCADE", "TRUNCATE"],
    ["COMMENT ON TABLE t IS 'x'", "COMMENT ON"],
    ["GRANT SELECT ON t TO a", "GRANT"],
    ["REVOKE SELECT ON t FROM a", "REVOKE"],
    ["REASSIGN OWNED BY a TO b", "REASSIGN OWNED"],
    ["REFRESH MATERIALIZED VIEW v", "REFRESH MATERIALIZED VIEW"],
  ],
};

for (const [kind, statements] of Object.entries(KINDS)) {
  Deno.test(`classify() knows a statement of the kind "${kind}"`, () => {
    for (const [sql, verb] of statements) {
      const info = classify(sql);
      assertEquals([sql, info.kind, info.verb], [sql, kind, verb]);
    }
  });
}

Deno.test("classify() knows what can be run twice", () => {
  for (
    const sql of [
      "CREATE TABLE IF NOT EXISTS t (a INT)",
      "CREATE OR REPLACE VIEW v AS SELECT 1",
      "DROP TABLE IF EXISTS t",
      "ALTER TABLE t ALTER a SET NOT NULL, ALTER b SET DEFAULT 1",
      "ALTER TABLE t ADD COLUMN IF NOT EXISTS a INT",
      "ALTER TABLE t ALTER a TYPE INT",
      "ALTER TABLE t OWNER TO bob",
      "ALTER TABLE t NO FORCE ROW LEVEL SECURITY",
      "ALTER VIEW v ALTER COLUMN a SET DEFAULT 1",
      "ALTER TABLE t CONFIGURE ZONE USING gc.ttlseconds = 1, num_replicas = 3",
      "ALTER ROLE bob WITH PASSWORD 'x'",
      "ALTER FUNCTION s.f(INT, TEXT) OWNER TO bob",
      "ALTER FUNCTION f SET search_path = s",
      "ALTER TABLE t ALTER COLUMN a RESET (n_distinct)",
      "ALTER TABLE t ALTER COLUMN a DROP ON UPDATE",
      "ALTER TABLE t ALTER COLUMN a DROP EXPRESSION IF EXISTS",
      "ALTER TABLE t SPLIT AT VALUES (1)",
      "ALTER INDEX t@i SPLIT AT VALUES (1)",
      "ALTER TABLE t UNSPLIT ALL",
      "ALTER TABLE t EXPERIMENTAL_AUDIT SET READ WRITE",
      "ALTER TABLE t PARTITION BY NOTHING",
      "ALTER RANGE default CONFIGURE ZONE USING gc.ttlseconds = 1",
      "ALTER PARTITION p OF TABLE t CONFIGURE ZONE USING num_replicas = 3",
      "ALTER TYPE e ADD VALUE IF NOT EXISTS 'x'",
      "GRANT SELECT ON ALL TABLES IN SCHEMA s TO bob",
      "COMMENT ON FUNCTION f() IS 'x'",
      "ALTER SEQUENCE s START WITH 5",
      "SET a = 1",
      "SELECT 1",
    ]
  ) assert(classify(sql).idempotent, sql);
});

Deno.test("classify() knows what can't be run twice", () => {
  for (
    const sql of [
      "CREATE TABLE t (a INT)",
      "DROP TABLE t",
      "ALTER TABLE IF EXISTS t ADD COLUMN a INT",
      "ALTER TABLE t ADD COLUMN IF NOT EXISTS a INT, DROP COLUMN b",
      "ALTER TABLE t ALTER a TYPE INT USING a + 1",
      "ALTER TABLE t RENAME TO u",
      "ALTER TABLE t ALTER COLUMN a DROP EXPRESSION",
      "ALTER FUNCTION f() RENAME TO g",
      "ALTER FUNCTION f() SET SCHEMA s",
      "ALTER TYPE e ADD VALUE 'x'",
      "TRUNCATE t",
      "INSERT INTO t VALUES (1)",
      "BEGIN",
      "FROBNICATE",
    ]
  ) assert(!classify(sql).idempotent, sql);
});

Deno.test("classify() knows what replaces", () => {
  assert(classify("CREATE OR REPLACE FUNCTION f() RETURNS INT AS ''").replaces);
  assert(!classify("CREATE FUNCTION f() RETURNS INT AS ''").replaces);
});

Deno.test("classify() knows what PostgreSQL refuses in a transaction", () => {
  for (
    const sql of [
      "CREATE INDEX CONCURRENTLY i ON t (a)",
      "DROP INDEX CONCURRENTLY i",
      "REINDEX TABLE CONCURRENTLY t",
      "REINDEX (CONCURRENTLY) TABLE t",
      "REINDEX DATABASE d",
      "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
      "VACUUM",
      "CREATE DATABASE d",
      "DROP DATABASE d",
      "CREATE TABLESPACE s LOCATION 'x'",
      "ALTER SYSTEM SET a = 1",
      "ALTER DATABASE d SET TABLESPACE s",
      "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p",
      "DISCARD ALL",
      "CLUSTER",
      "CLUSTER (VERBOSE)",
    ]
  ) assert(!classify(sql).transactional, sql);
  for (
    const sql of [
      "CREATE INDEX i ON t (a)",
      "CREATE TABLE concurrently (a INT)",
      "ALTER TYPE e ADD VALUE 'x'",
      "CLUSTER t USING i",
      "REINDEX TABLE t",
      "DISCARD PLANS",
      "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
    ]
  ) assert(classify(sql).transactional, sql);
});

Deno.test("classify() refuses text that can't be read", () => {
  assertThrows(() => classify("SELECT 'x"), SqlTextError);
});
