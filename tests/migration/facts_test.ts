import { assertEquals, assertStringIncludes } from "@std/assert";
import { factsOf, withFacts } from "../../src/migration/facts.ts";
import { classify } from "../../src/migration/statement.ts";

const effectsOf = (sql: string) => classify(sql).effects!;

Deno.test("factsOf() asks which schema's object is meant by a name that is to go", () => {
  assertEquals(
    factsOf(effectsOf("DROP TABLE s.a, b"), "postgresql"),
    "jsonb_build_array(NULL::TEXT, (SELECT n.nspname::TEXT FROM pg_catalog.pg_class o " +
      "JOIN pg_catalog.pg_namespace n ON n.oid = o.relnamespace WHERE o.relname = 'b' " +
      "AND o.relkind IN ('r', 'p', 'f') AND n.nspname = ANY(current_schemas(false)) " +
      "ORDER BY array_position(current_schemas(false), n.nspname) LIMIT 1))::TEXT",
  );
});

Deno.test("factsOf() asks nothing where nothing has to be known", () => {
  for (
    const sql of [
      "CREATE TABLE t (a INT)",
      "DROP TABLE s.t",
      "DROP SCHEMA s",
      "DROP INDEX t@i",
      "ALTER TABLE t ADD COLUMN a INT",
      "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0)",
      "ALTER TABLE t RENAME COLUMN a TO b",
      "COMMENT ON TABLE t IS 'x'",
    ]
  ) assertEquals(factsOf(effectsOf(sql), "cockroachdb"), undefined, sql);
});

Deno.test("factsOf() counts what has no name, and notes what rows are kept in", () => {
  for (
    const [sql, part] of [
      ["ALTER TABLE t ADD CHECK (a > 0)", "k.contype = 'c'"],
      ["CREATE INDEX ON t (lower(a))", "FROM pg_catalog.pg_index i"],
      ["TRUNCATE TABLE ONLY t", "pg_relation_filenode("],
      ["ALTER SEQUENCE s RESTART", "pg_relation_filenode("],
    ]
  ) assertStringIncludes(factsOf(effectsOf(sql), "postgresql")!, part);
});

Deno.test("factsOf() reads CockroachDB's catalog apart from the statement around it", () => {
  assertEquals(
    factsOf(effectsOf("DROP TYPE mood"), "cockroachdb")
      ?.startsWith("(WITH c AS MATERIALIZED (SELECT jsonb_build_array("),
    true,
  );
});

Deno.test("withFacts() puts schemas before the names that had none", () => {
  assertEquals(withFacts(effectsOf("DROP TABLE a, s.b"), ["x", null]), [
    { type: "table", name: ["x", "a"], present: false },
    { type: "table", name: ["s", "b"], present: false },
  ]);
  const [rename] = withFacts(effectsOf("ALTER TABLE a RENAME TO b"), ["x"]);
  assertEquals(rename, {
    type: "rename",
    object: "table",
    from: ["x", "a"],
    to: ["x", "b"],
  });
  const [move] = withFacts(effectsOf("ALTER TABLE a SET SCHEMA s"), ["x"]);
  assertEquals(move.type === "rename" && [move.from, move.to], [
    ["x", "a"],
    ["s", "a"],
  ]);
});

Deno.test("withFacts() leaves effects alone where nothing was noted", () => {
  const effects = effectsOf("DROP TABLE a");
  assertEquals(withFacts(effects, null), [...effects]);
  assertEquals(withFacts(effects, [null]), [...effects]);
});
