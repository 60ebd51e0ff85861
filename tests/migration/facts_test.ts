import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  factsOf,
  heldBefore,
  readFacts,
  withFacts,
} from "../../src/migration/facts.ts";
import { classify } from "../../src/migration/statement.ts";

const effectsOf = (sql: string) => classify(sql).effects!;

Deno.test("factsOf() asks which schema's object is meant by a name that is to go", () => {
  assertEquals(
    factsOf(effectsOf("DROP TABLE b"), "postgresql"),
    "jsonb_build_array((SELECT n.nspname::TEXT FROM pg_catalog.pg_class o " +
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
      ["CREATE INDEX ON t (a)", "FROM pg_catalog.pg_index i"],
      ["ALTER TABLE t ADD UNIQUE (a)", "k.contype = 'u'"],
      ["ALTER TABLE t ADD EXCLUDE (a WITH =)", "k.contype = 'x'"],
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
  assertEquals(
    withFacts(effectsOf("DROP TABLE a, s.b"), ["x", null]),
    [
      { type: "table", name: ["x", "a"], present: false },
      { type: "table", name: ["s", "b"], present: false },
    ],
  );
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

Deno.test("factsOf() asks of each of several effects whether the catalog holds it", () => {
  assertEquals(
    factsOf(effectsOf("DROP ROLE a, b"), "postgresql"),
    "jsonb_build_object('facts', jsonb_build_array(NULL::TEXT, NULL::TEXT), " +
      "'held', jsonb_build_array(" +
      "NOT EXISTS (SELECT o.oid FROM pg_catalog.pg_roles o WHERE o.rolname = 'a'), " +
      "NOT EXISTS (SELECT o.oid FROM pg_catalog.pg_roles o WHERE o.rolname = 'b')))::TEXT",
  );
});

Deno.test("factsOf() counts nothing where the statement takes a part away too", () => {
  const effects = effectsOf(
    "ALTER TABLE t DROP CONSTRAINT k, ADD CHECK (a > 0)",
  );
  const { length } = factsOf(effects, "postgresql")!.split("count(*)");
  assertEquals(length, 1);
});

Deno.test("readFacts() reads facts with what was held, and facts alone", () => {
  assertEquals(readFacts(null), { facts: null });
  assertEquals(readFacts('["s", null]'), { facts: ["s", null] });
  assertEquals(readFacts('{"facts": [null, "1"], "held": [true, null]}'), {
    facts: [null, "1"],
    held: [true, null],
  });
});

Deno.test("heldBefore() says it of each effect, or of all together", () => {
  const effects = effectsOf("DROP TABLE a, b");
  const held = [true, false];
  assertEquals(heldBefore(effects, { before: false, held }), held);
  assertEquals(heldBefore(effects, { before: true }), [true, true]);
});

Deno.test("heldBefore() takes what is counted for not held", () => {
  const effects = withFacts(effectsOf("CREATE INDEX ON t (a)"), ["1"]);
  assertEquals(heldBefore(effects, { before: true }), [false]);
});
