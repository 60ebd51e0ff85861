/**
 * What a session keeps of errors and notices, the same for every driver, on the server that tests run
 * on.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { failure, sessionTest, withTable } from "../support/sessions.ts";

sessionTest(
  "keeps an error's fields and the statement, and goes on",
  async (session) => {
    for (const args of [[], ["secret"]]) {
      const text = `SELECT nope, ${args.length ? "$1::TEXT" : "'x'"}`;
      const error = await failure(session.query(text, args));
      assertEquals([error.code, error.kind], ["42703", "undefined"]);
      assertEquals([error.severity, error.statement], ["ERROR", text]);
      assertStringIncludes(error.message, "nope");
      assert(!JSON.stringify(error).includes("secret"));
      assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
    }
  },
);

sessionTest("tells where in the statement an error is", async (session) => {
  const error = await failure(session.query("SELECT nope"));
  assertEquals(error.position, 8);
}, { on: ["postgresql", "pglite"] });

sessionTest(
  "tells where in a statement of the server's own an error is",
  async (session) => {
    const text = "DO $$ BEGIN EXECUTE 'SELEC 1'; END $$";
    const error = await failure(session.query(text));
    const { code, internalQuery, internalPosition, position } = error;
    assertEquals(
      [code, internalQuery, internalPosition, position],
      ["42601", "SELEC 1", 1, undefined],
    );
  },
  { on: ["postgresql", "pglite"] },
);

sessionTest(
  "tells where in the server's source an error is from",
  async (session) => {
    const { file, line, routine } = await failure(session.query("SELEC 1"));
    assertMatch(`${file}`, /\.(c|l|y|go)$/);
    assert(Number.isInteger(line), `${line}`);
    assertMatch(`${routine}`, /^\w+$/);
  },
);

sessionTest("names the table and constraint of an error", async (session) => {
  await withTable(session, {
    columns: "id INT8 CONSTRAINT only_once PRIMARY KEY",
    fn: async (table) => {
      const insert = `INSERT INTO ${table} VALUES ($1)`;
      await session.query(insert, ["7"]);
      const error = await failure(session.query(insert, ["7"]));
      assertEquals([error.code, error.kind], ["23505", "unique-violation"]);
      assertEquals(error.constraint, "only_once");
      assertStringIncludes(error.detail!, "7");
    },
  });
});

sessionTest("fails in the middle of a result and goes on", async (session) => {
  for (const args of [[], ["10"]]) {
    const error = await failure(session.query(
      `SELECT 10 / (5 - g) FROM generate_series(1, ${
        args.length ? "$1::INT8" : "10"
      }) AS g`,
      args,
    ));
    assertEquals(error.code, "22012");
    assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
  }
});

sessionTest(
  "keeps notices with the answer and with an error",
  async (session) => {
    const notice = "RAISE NOTICE 'heads up' USING HINT = 'look'";
    const { notices } = await session.query(`DO $$ BEGIN ${notice}; END $$`);
    assertEquals(notices.map(({ message, hint }) => [message, hint]), [
      ["heads up", "look"],
    ]);
    const error = await failure(
      session.query(`DO $$ BEGIN ${notice}; PERFORM 1 / 0; END $$`),
    );
    assertEquals(error.code, "22012");
    assertEquals(error.notices.map(({ message }) => message), ["heads up"]);
    assertEquals((await session.query("SELECT 1")).notices, []);
  },
  { on: ["postgresql", "pglite"] },
);
