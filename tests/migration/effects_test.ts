/**
 * What a statement's text tells of its outcome in the catalog.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { ServerKind } from "../../src/migration/server.ts";
import { classify, type Effect } from "../../src/migration/statement.ts";

const t = ["t"];

/** The effects of statements that can be told. */
const EFFECTS: [sql: string, ...effects: Effect[]][] = [
  ['CREATE TABLE IF NOT EXISTS "App".Users (id INT, FAMILY f (id))', {
    type: "table",
    name: ["App", "users"],
    present: true,
  }],
  [
    "DROP TABLE db.s.a, b CASCADE",
    { type: "table", name: ["db", "s", "a"], present: false },
    { type: "table", name: ["b"], present: false },
  ],
  ["SELECT 1 AS a INTO TABLE s.t FROM u", {
    type: "table",
    name: ["s", "t"],
    present: true,
  }],
  ["CREATE SCHEMA IF NOT EXISTS s AUTHORIZATION bob", {
    type: "schema",
    name: ["s"],
    present: true,
  }],
  ["CREATE SCHEMA AUTHORIZATION bob", {
    type: "schema",
    name: ["bob"],
    present: true,
  }],
  ["CREATE DATABASE d", { type: "database", name: ["d"], present: true }],
  ["CREATE USER IF NOT EXISTS bob WITH LOGIN", {
    type: "role",
    name: ["bob"],
    present: true,
  }],
  ["CREATE SEQUENCE s START 5", {
    type: "sequence",
    name: ["s"],
    present: true,
  }],
  ["CREATE TYPE s.mood AS ENUM ('a')", {
    type: "type",
    name: ["s", "mood"],
    present: true,
  }],
  ["CREATE EXTENSION IF NOT EXISTS pgcrypto", {
    type: "extension",
    name: ["pgcrypto"],
    present: true,
  }],
  ["CREATE MATERIALIZED VIEW IF NOT EXISTS v AS SELECT 1", {
    type: "view",
    name: ["v"],
    materialized: true,
    present: true,
  }],
  ["DROP VIEW v", {
    type: "view",
    name: ["v"],
    materialized: false,
    present: false,
  }],
  ["CREATE FUNCTION s.f(a INT,  b TEXT DEFAULT 'x  y') RETURNS INT AS ''", {
    type: "function",
    name: ["s", "f"],
    parameters: "a INT, b TEXT DEFAULT 'x  y'",
    present: true,
  }],
  [
    "DROP FUNCTION IF EXISTS f(INT), g",
    { type: "function", name: ["f"], parameters: "INT", present: false },
    { type: "function", name: ["g"], present: false },
  ],
  ["CREATE TRIGGER tr BEFORE UPDATE OF a ON s.t EXECUTE FUNCTION f()", {
    type: "trigger",
    table: ["s", "t"],
    name: "tr",
    present: true,
  }],
  ["DROP POLICY IF EXISTS p ON t", {
    type: "policy",
    table: t,
    name: "p",
    present: false,
  }],
  [
    'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON s.t USING btree (a DESC, "B") STORING (c)',
    {
      type: "index",
      table: ["s", "t"],
      name: ["i"],
      present: true,
      columns: ["a", "B"],
      unique: true,
    },
  ],
  ["CREATE INVERTED INDEX ON t (j)", {
    type: "index",
    table: t,
    name: undefined,
    present: true,
    columns: ["j"],
    unique: false,
  }],
  ["CREATE INDEX i ON t (lower(a))", {
    type: "index",
    table: t,
    name: ["i"],
    present: true,
    columns: undefined,
    unique: false,
  }],
  [
    "DROP INDEX t@i, s.j CASCADE",
    { type: "index", table: t, name: ["i"], present: false },
    { type: "index", name: ["s", "j"], present: false },
  ],
  ["ALTER INDEX s.t@i RENAME TO j", {
    type: "rename",
    object: "index",
    of: ["s", "t"],
    from: ["i"],
    to: ["j"],
  }],
  [
    "ALTER TABLE t ADD COLUMN IF NOT EXISTS a VARCHAR (20) [] NOT NULL, DROP b, ALTER c SET DEFAULT 'x  ' || /* c */ 'y'",
    {
      type: "column",
      table: t,
      column: "a",
      present: true,
      dataType: "VARCHAR (20) []",
    },
    { type: "column", table: t, column: "b", present: false },
    {
      type: "column-default",
      table: t,
      column: "c",
      set: true,
      expression: "'x  ' || 'y'",
    },
  ],
  [
    "ALTER TABLE IF EXISTS ONLY s.t ALTER COLUMN a SET DATA TYPE DECIMAL(10,2) USING a::DECIMAL, ALTER b TYPE timestamp with time zone",
    {
      type: "column-type",
      table: ["s", "t"],
      column: "a",
      dataType: "DECIMAL(10,2)",
    },
    {
      type: "column-type",
      table: ["s", "t"],
      column: "b",
      dataType: "timestamp with time zone",
    },
  ],
  [
    "ALTER TABLE t ALTER a SET NOT NULL, ALTER b DROP NOT NULL, ALTER c DROP DEFAULT",
    { type: "column-not-null", table: t, column: "a", value: true },
    { type: "column-not-null", table: t, column: "b", value: false },
    { type: "column-default", table: t, column: "c", set: false },
  ],
  [
    "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a, b) REFERENCES u (a, b) NOT VALID",
    {
      type: "constraint",
      table: t,
      name: "fk",
      present: true,
      constraintType: "foreign-key",
      columns: ["a", "b"],
      validated: false,
    },
  ],
  ["ALTER TABLE t ADD CHECK (a IS NOT NULL)", {
    type: "constraint",
    table: t,
    name: undefined,
    present: true,
    constraintType: "check",
    columns: undefined,
    validated: true,
  }],
  ["ALTER TABLE t ADD UNIQUE (a)", {
    type: "constraint",
    table: t,
    name: undefined,
    present: true,
    constraintType: "unique",
    columns: ["a"],
    validated: true,
  }],
  ["ALTER TABLE t ADD PRIMARY KEY (a)", {
    type: "primary-key",
    table: t,
    columns: ["a"],
  }],
  ["ALTER TABLE t ADD CONSTRAINT pk PRIMARY KEY (a)", {
    type: "primary-key",
    table: t,
    columns: ["a"],
  }, {
    type: "constraint",
    table: t,
    name: "pk",
    present: true,
    constraintType: "primary-key",
    columns: ["a"],
    validated: true,
  }],
  ["ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (a)", {
    type: "primary-key",
    table: t,
    columns: ["a"],
  }],
  ["ALTER TABLE t DROP CONSTRAINT k, ADD CONSTRAINT k PRIMARY KEY (a)", {
    type: "primary-key",
    table: t,
    columns: ["a"],
  }],
  ["ALTER TABLE t DROP CONSTRAINT k, ADD PRIMARY KEY (a)", {
    type: "constraint",
    table: t,
    name: "k",
    present: false,
  }, {
    type: "primary-key",
    table: t,
    columns: ["a"],
  }],
  ["ALTER TABLE t ALTER COLUMN a ADD GENERATED ALWAYS AS IDENTITY (START 5)", {
    type: "column-identity",
    table: t,
    column: "a",
    present: true,
  }],
  ["ALTER TABLE t ALTER a DROP IDENTITY IF EXISTS", {
    type: "column-identity",
    table: t,
    column: "a",
    present: false,
  }],
  ["ALTER TABLE t ATTACH PARTITION s.u FOR VALUES IN (1, 2)", {
    type: "child",
    table: t,
    child: ["s", "u"],
    present: true,
  }],
  ["ALTER TABLE t DETACH PARTITION u CONCURRENTLY", {
    type: "child",
    table: t,
    child: ["u"],
    present: false,
  }],
  ["ALTER TABLE t NO INHERIT u", {
    type: "child",
    table: ["u"],
    child: t,
    present: false,
  }],
  ["ALTER DOMAIN s.d ADD CONSTRAINT c CHECK (VALUE > 0)", {
    type: "domain-constraint",
    domain: ["s", "d"],
    name: "c",
    present: true,
    validated: true,
  }],
  ["ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID", {
    type: "domain-constraint",
    domain: ["d"],
    name: "c",
    present: true,
    validated: false,
  }],
  ["ALTER DOMAIN d DROP CONSTRAINT c", {
    type: "domain-constraint",
    domain: ["d"],
    name: "c",
    present: false,
  }],
  ["ALTER DOMAIN d RENAME CONSTRAINT c TO e", {
    type: "rename",
    object: "domain-constraint",
    of: ["d"],
    from: ["c"],
    to: ["e"],
  }],
  ["ALTER TABLE t ADD PRIMARY KEY USING INDEX i", {
    type: "constraint",
    table: t,
    name: "i",
    present: true,
    constraintType: "primary-key",
    columns: undefined,
    validated: true,
  }],
  ["ALTER VIEW s.v RENAME a TO b", {
    type: "rename",
    object: "column",
    of: ["s", "v"],
    from: ["a"],
    to: ["b"],
  }],
  ["ALTER SEQUENCE s CACHE 5 RESTART WITH 10", {
    type: "restart",
    sequence: ["s"],
  }],
  ["ALTER TYPE p ADD ATTRIBUTE a numeric(10, 2), DROP ATTRIBUTE b CASCADE", {
    type: "column",
    table: ["p"],
    column: "a",
    present: true,
    dataType: "numeric(10, 2)",
  }, {
    type: "column",
    table: ["p"],
    column: "b",
    present: false,
  }],
  ["ALTER TABLE t ALTER PRIMARY KEY USING COLUMNS (a, b) USING HASH", {
    type: "primary-key",
    table: t,
    columns: ["a", "b"],
  }],
  ["ALTER TABLE t VALIDATE CONSTRAINT fk", {
    type: "constraint",
    table: t,
    name: "fk",
    present: true,
    validated: true,
  }],
  ["ALTER TABLE t DROP CONSTRAINT IF EXISTS fk", {
    type: "constraint",
    table: t,
    name: "fk",
    present: false,
  }],
  ["ALTER TABLE s.t RENAME TO u", {
    type: "rename",
    object: "table",
    from: ["s", "t"],
    to: ["s", "u"],
  }],
  ["ALTER TABLE t RENAME a TO b", {
    type: "rename",
    object: "column",
    of: t,
    from: ["a"],
    to: ["b"],
  }],
  ["ALTER TABLE t RENAME CONSTRAINT a TO b", {
    type: "rename",
    object: "constraint",
    of: t,
    from: ["a"],
    to: ["b"],
  }],
  ["ALTER TABLE s.t SET SCHEMA z", {
    type: "rename",
    object: "table",
    from: ["s", "t"],
    to: ["z", "t"],
  }],
  ["ALTER SEQUENCE s RENAME TO r", {
    type: "rename",
    object: "sequence",
    from: ["s"],
    to: ["r"],
  }],
  ["ALTER TYPE s.e ADD VALUE IF NOT EXISTS 'it''s' BEFORE 'y'", {
    type: "enum-value",
    typeName: ["s", "e"],
    value: "it's",
    present: true,
  }],
  ["ALTER TYPE e DROP VALUE 'x'", {
    type: "enum-value",
    typeName: ["e"],
    value: "x",
    present: false,
  }],
  ["ALTER TYPE e RENAME VALUE 'x' TO E'\\ty'", {
    type: "rename",
    object: "enum-value",
    of: ["e"],
    from: ["x"],
    to: ["\ty"],
  }],
  ["COMMENT ON COLUMN s.t.c IS $$it's$$", {
    type: "comment",
    object: "column",
    name: ["s", "t"],
    part: "c",
    text: "it's",
  }],
  ["COMMENT ON CONSTRAINT k ON t IS NULL", {
    type: "comment",
    object: "constraint",
    name: t,
    part: "k",
    text: null,
  }],
  ["COMMENT ON SCHEMA s IS 'x'", {
    type: "comment",
    object: "schema",
    name: ["s"],
    text: "x",
  }],
  ['GRANT SELECT, INSERT ON TABLE a, s.b TO "Bob", al WITH GRANT OPTION', {
    type: "grant",
    privileges: ["SELECT", "INSERT"],
    on: "table",
    objects: [["a"], ["s", "b"]],
    to: ["bob", "al"],
    granted: true,
  }],
  ["REVOKE ALL PRIVILEGES ON SCHEMA s FROM PUBLIC", {
    type: "grant",
    privileges: ["ALL"],
    on: "schema",
    objects: [["s"]],
    to: ["public"],
    granted: false,
  }],
  ["GRANT admin TO bob", {
    type: "grant",
    privileges: ["admin"],
    on: "role",
    objects: [],
    to: ["bob"],
    granted: true,
  }],
];

for (const [sql, ...effects] of EFFECTS) {
  Deno.test(`classify() tells the effects of ${sql}`, () => {
    assertEquals(classify(sql).effects, effects);
  });
}

Deno.test("classify() tells no effects where the catalog can't show them", () => {
  for (
    const sql of [
      "CREATE OR REPLACE VIEW v AS SELECT 1",
      "CREATE TEMP TABLE t (a INT)",
      "ALTER TABLE t DROP COLUMN a, ADD COLUMN a INT",
      "ALTER TABLE t RENAME COLUMN a TO b, ADD COLUMN a INT",
      "ALTER TABLE t CONFIGURE ZONE USING gc.ttlseconds = 1, num_replicas = 3",
      "ALTER VIEW v RENAME COLUMN a",
      "ALTER TABLE t INHERIT",
      "ALTER DOMAIN d ADD CHECK (VALUE > 0)",
      "ALTER DOMAIN d DROP CONSTRAINT",
      "ALTER TABLE t ALTER a SET START 5 RESTART",
      "GRANT SELECT (a) ON t TO bob",
      "GRANT SELECT ON ALL TABLES IN SCHEMA s TO bob",
      "GRANT SYSTEM VIEWACTIVITY TO bob",
      "REVOKE GRANT OPTION FOR SELECT ON t FROM bob",
      "COMMENT ON FUNCTION f(INT) IS 'x'",
      "CREATE TABLE",
      "ALTER TABLE t",
      "DROP INDEX t@",
    ]
  ) assertEquals([sql, classify(sql).effects], [sql, undefined]);
});

Deno.test("classify() hides the effects of parts that undo or rename one another", () => {
  const types = (actions: string) =>
    classify(`ALTER TABLE t ${actions}`).effects?.map(({ type }) => type);
  for (
    const [actions, ...expected] of [
      ["RENAME COLUMN a TO x, RENAME COLUMN b TO y", "rename", "rename"],
      ["RENAME a TO b, RENAME c TO a, DROP d", "hidden", "hidden", "column"],
      ["RENAME a TO b, ADD UNIQUE (b), DROP d", "hidden", "hidden", "column"],
      ["DROP a, ADD a INT, ADD b INT", "hidden", "hidden", "column"],
      ["ADD CHECK (a > 0), ADD CHECK (b > 0)", "constraint", "constraint"],
      ["ADD a INT, FROBNICATE", "column", "hidden"],
      ["ADD a INT, SET (fillfactor = 70)", "column"],
    ]
  ) assertEquals([actions, types(actions)], [actions, expected]);
});

Deno.test("classify() folds names as the server does", () => {
  const named = (kind?: ServerKind) => {
    const sql = 'ALTER TABLE Ärger.ÜBEL ADD UNIQUE (Öl, "Öl")';
    const [effect] = classify(sql, { kind }).effects!;
    return effect.type === "constraint" && [effect.table, effect.columns];
  };
  assertEquals(named(), [["ärger", "übel"], ["öl", "Öl"]]);
  assertEquals(named("cockroachdb"), named());
  assertEquals(named("postgresql"), [["Ärger", "Übel"], ["Öl", "Öl"]]);
  assertEquals(
    classify("SELECT 1 INTO Ä", { kind: "postgresql" }).effects,
    [{ type: "table", name: ["Ä"], present: true }],
  );
});

Deno.test("classify() gets through any order of words", () => {
  const words = EFFECTS.flatMap(([sql]) => sql.split(" "))
    .filter((word) => !/['"$]|\/\*/.test(word));
  const text = fc.array(fc.constantFrom(...new Set(words)), { maxLength: 12 });
  fc.assert(
    fc.property(text, (parts) => {
      const info = classify(parts.join(" "));
      assertEquals(typeof info.verb, "string");
    }),
    { numRuns: 2_000 },
  );
});
