/**
 * The text of predicates, with literals; a test on a server runs them.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { predicateOf } from "../../src/migration/predicate.ts";
import { classify } from "../../src/migration/statement.ts";
import type { ServerKind } from "../../src/migration/server.ts";

function of(
  sql: string,
  kind: ServerKind = "postgresql",
): string | undefined {
  return predicateOf(classify(sql).effects ?? [], kind);
}

const TABLE = "SELECT o.oid FROM pg_catalog.pg_class o " +
  "JOIN pg_catalog.pg_namespace n ON n.oid = o.relnamespace " +
  "WHERE o.relname = 't' AND o.relkind";
const T =
  `(${TABLE} NOT IN ('i', 'I') AND n.nspname = ANY(current_schemas(false)) ` +
  "ORDER BY array_position(current_schemas(false), n.nspname) LIMIT 1)";

Deno.test("predicateOf() looks for a new table in the first schema, and for an old one in all", () => {
  assertEquals(
    of("CREATE TABLE t (id INT)"),
    `EXISTS (${TABLE} IN ('r', 'p', 'f') AND n.nspname = current_schema())`,
  );
  assertEquals(
    of("DROP TABLE t"),
    `NOT EXISTS (${TABLE} IN ('r', 'p', 'f') AND n.nspname = ANY(current_schemas(false)))`,
  );
  assertEquals(
    of("DROP VIEW app.t"),
    `NOT EXISTS (${TABLE} = 'v' AND n.nspname = 'app')`,
  );
});

Deno.test("predicateOf() joins the effects of a statement", () => {
  const column = (name: string) =>
    `SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = ${T} ` +
    `AND a.attname = '${name}' AND NOT a.attisdropped`;
  assertEquals(
    of("ALTER TABLE t ADD COLUMN a INT, DROP COLUMN b"),
    `EXISTS (${column("a")}) AND NOT EXISTS (${column("b")})`,
  );
  assertEquals(
    of("ALTER TABLE t ALTER a DROP DEFAULT, ALTER a SET NOT NULL"),
    `EXISTS (${column("a")} AND NOT a.atthasdef) AND EXISTS (${
      column("a")
    } AND a.attnotnull)`,
  );
});

Deno.test("predicateOf() quotes names and texts", () => {
  assertEquals(
    of(`CREATE ROLE "it's"`),
    "EXISTS (SELECT o.oid FROM pg_catalog.pg_roles o WHERE o.rolname = 'it''s')",
  );
  assertEquals(
    of("COMMENT ON DATABASE d IS E'a\\\\b'"),
    "EXISTS (SELECT 1 FROM (SELECT (SELECT o.oid FROM pg_catalog.pg_database o " +
      "WHERE o.datname = 'd') AS oid) o WHERE o.oid IS NOT NULL AND " +
      "COALESCE(shobj_description(o.oid, 'pg_database'), '') = E'a\\\\b')",
  );
});

Deno.test("predicateOf() reads CockroachDB's catalog apart from the statement around it", () => {
  assertEquals(
    of("CREATE SCHEMA app", "cockroachdb"),
    "(WITH c AS MATERIALIZED (SELECT EXISTS (SELECT o.oid FROM pg_catalog.pg_namespace o " +
      "WHERE o.nspname = 'app') AS value) SELECT value FROM c)",
  );
});

Deno.test("predicateOf() is NULL in another database than the one that a name says", () => {
  assertEquals(
    of("DROP TABLE shop.public.t", "cockroachdb"),
    "(WITH c AS MATERIALIZED (SELECT CASE WHEN current_database() = 'shop' THEN " +
      `NOT EXISTS (${TABLE} IN ('r', 'p', 'f') AND n.nspname = 'public') END AS value) ` +
      "SELECT value FROM c)",
  );
  for (
    const other of [
      "ALTER TABLE shop.public.t ADD COLUMN a INT",
      "ALTER TABLE shop.public.t ALTER COLUMN a TYPE INT",
      "ALTER TABLE shop.public.t ALTER COLUMN a DROP DEFAULT",
      "ALTER TABLE shop.public.t ALTER COLUMN a SET NOT NULL",
      "ALTER TABLE shop.public.t RENAME TO u",
      "ALTER TABLE shop.public.t RENAME COLUMN a TO b",
      "ALTER TABLE shop.public.t RENAME CONSTRAINT a TO b",
      "ALTER TABLE shop.public.t ADD CONSTRAINT k CHECK (a > 0)",
      "ALTER TABLE shop.public.t DROP CONSTRAINT k",
      "ALTER TABLE shop.public.t ADD UNIQUE (a)",
      "ALTER TABLE shop.public.t ALTER PRIMARY KEY USING COLUMNS (a)",
      "CREATE INDEX i ON shop.public.t (a)",
      "CREATE INDEX ON shop.public.t (a)",
      "DROP INDEX shop.public.t@i",
      "DROP INDEX shop.public.i",
      "CREATE SCHEMA shop.app",
      "CREATE TYPE shop.public.mood AS ENUM ()",
      "ALTER TYPE shop.public.mood ADD VALUE 'x'",
      "COMMENT ON TABLE shop.public.t IS 'x'",
      "COMMENT ON COLUMN shop.public.t.a IS 'x'",
      "COMMENT ON INDEX shop.public.t@i IS 'x'",
      "COMMENT ON CONSTRAINT k ON shop.public.t IS 'x'",
      "GRANT SELECT ON t, shop.public.t TO r",
      "GRANT USAGE ON SCHEMA shop.app TO r",
    ]
  ) {
    assertStringIncludes(
      of(other, "cockroachdb") ?? "",
      "CASE WHEN current_database() = 'shop' THEN ",
      other,
    );
  }
});

Deno.test("predicateOf() gives nothing for one effect in several databases", () => {
  const sql = "ALTER TABLE shop.public.t RENAME TO store.public.t";
  assertEquals(of(sql, "cockroachdb"), undefined);
});

Deno.test("predicateOf() gives nothing where the catalog can't tell", () => {
  const statements = [
    "ALTER TABLE t ALTER a SET DEFAULT 1",
    "ALTER TABLE t ADD COLUMN b INT, ALTER a SET DEFAULT 1",
    "ALTER TABLE t ALTER a TYPE app.mood(3)",
    "CREATE FUNCTION f(a INT) RETURNS INT LANGUAGE SQL AS 'SELECT a'",
    "GRANT SELECT ON t TO current_user",
  ];
  for (const sql of statements) {
    assertEquals(of(sql, "postgresql"), undefined, sql);
    assertEquals(of(sql, "cockroachdb"), undefined, sql);
  }
});

Deno.test("predicateOf() gives nothing for what only PostgreSQL's catalog tells", () => {
  const statements = [
    "CREATE EXTENSION pg_trgm",
    "CREATE FUNCTION f() RETURNS INT LANGUAGE SQL AS 'SELECT 1'",
    "CREATE POLICY p ON t USING (true)",
    "DROP TRIGGER g ON t",
    "COMMENT ON SCHEMA app IS 'x'",
    "GRANT CREATE ON DATABASE d TO r",
  ];
  for (const sql of statements) {
    assertEquals(typeof of(sql, "postgresql"), "string", sql);
    assertEquals(of(sql, "cockroachdb"), undefined, sql);
  }
});
