/**
 * What a session answers, the same for every driver, on the server that tests run on.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Column, TextRow } from "../../src/driver/driver.ts";
import {
  collect,
  failure,
  sessionTest,
  withTable,
} from "../support/sessions.ts";

sessionTest("reports what the server said of itself", (session) => {
  assertMatch(session.parameters.server_version, /^\d/);
  assertEquals(session.transactionStatus, "idle");
  assertEquals(session.broken, false);
  return Promise.resolve();
});

sessionTest(
  "gives rows as text, with names and types of columns",
  async (session) => {
    const result = await session.query(
      "SELECT 1::INT8 AS a, 'x'::TEXT AS \"b c\", NULL::TEXT AS d, true AS e",
    );
    assertEquals(result, {
      columns: [
        { name: "a", typeOid: 20 },
        { name: "b c", typeOid: 25 },
        { name: "d", typeOid: 25 },
        { name: "e", typeOid: 16 },
      ],
      rows: [["1", "x", null, "t"]],
      command: "SELECT",
      rowCount: 1,
      notices: [],
    });
  },
);

sessionTest("sends arguments and gets them back unchanged", async (session) => {
  const texts = [
    ...["", " ", "'", '"', "\\", "a\r\nb\t", "NULL", "{}", "$1"],
    ...["ß", "日本語", "👩🏽‍🚀", "\u{1F600}", "\uFEFFx", "e\u0301"],
    null,
  ];
  const { rows } = await session.query(
    `SELECT ${texts.map((_, index) => `$${index + 1}::TEXT`).join(", ")}`,
    texts,
  );
  assertEquals(rows, [texts]);
});

sessionTest("carries values of megabytes", async (session) => {
  const large = "0123456789abcdeß".repeat(150_000);
  const { rows } = await session.query("SELECT $1::TEXT, length($1)", [large]);
  assert(rows[0][0] === large);
  assertEquals(rows[0][1], String(large.length));
});

sessionTest("carries many columns", async (session) => {
  const names = Array.from({ length: 500 }, (_, index) => `c${index}`);
  const { columns, rows } = await session.query(
    `SELECT ${names.map((name, index) => `${index} AS ${name}`).join(", ")}`,
  );
  assertEquals(columns.map(({ name }) => name), names);
  assertEquals(rows[0][499], "499");
});

sessionTest(
  "runs several statements and gives the last one's result",
  async (session) => {
    const { columns, rows, rowCount } = await session.query(
      "SELECT 1::INT8 AS a; SELECT 'x'::TEXT AS b, 2::INT8 AS c",
    );
    assertEquals(columns, [
      { name: "b", typeOid: 25 },
      { name: "c", typeOid: 20 },
    ]);
    assertEquals([rows, rowCount], [[["x", "2"]], 1]);
    const last = await session.query("SELECT 1; SET application_name = 'y'");
    assertEquals(
      [last.columns, last.rows, last.command, last.rowCount],
      [[], [], "SET", 0],
    );
  },
);

sessionTest("takes an empty statement", async (session) => {
  for (const text of ["", ";", "-- nothing"]) {
    const { columns, rows, command, rowCount } = await session.query(text);
    assertEquals([columns, rows, command, rowCount], [[], [], "", 0]);
  }
});

sessionTest("counts rows, which DDL has none of", async (session) => {
  await withTable(session, {
    columns: "id INT8 PRIMARY KEY",
    fn: async (table) => {
      const insert = `INSERT INTO ${table} VALUES ($1::INT8), ($2::INT8)`;
      const inserted = await session.query(insert, ["1", "2"]);
      assertEquals([inserted.command, inserted.rowCount], ["INSERT", 2]);
      const updated = await session.query(`UPDATE ${table} SET id = id + 5`);
      assertEquals([updated.command, updated.rowCount], ["UPDATE", 2]);
      const comment = await session.query(`COMMENT ON TABLE ${table} IS 'x'`);
      assertEquals(comment.rowCount, 0);
      const dropped = await session.query(
        `CREATE TABLE ${table}_2 (id INT8 PRIMARY KEY); DROP TABLE ${table}_2`,
      );
      assertEquals([dropped.command, dropped.rowCount], ["DROP TABLE", 0]);
    },
  });
});

sessionTest("gives the rows to a sink as they come", async (session) => {
  const counts: number[] = [];
  const last: unknown[] = [];
  const sink = {
    start(columns: readonly Column[]) {
      last.splice(0, last.length, columns.map(({ name }) => name));
      counts.length = 0;
    },
    add(rows: readonly TextRow[]) {
      last.push(...rows.map(([text]) => Number(text)));
      counts.push(rows.length);
    },
  };
  const numbers = (count: number, name: string) =>
    `SELECT i AS ${name} FROM generate_series(1, ${count}) AS g (i)`;
  const { rows, columns, rowCount } = await session.query(
    `${numbers(3, "a")}; ${numbers(5_000, "b")}`,
    [],
    { sink },
  );
  assertEquals([rows, columns.length, rowCount], [[], 1, 5_000]);
  const expected = Array.from({ length: 5_000 }, (_, index) => index + 1);
  assertEquals(last, [["b"], ...expected]);
  assert(counts.length > 1, "all rows came at once");
  await session.query("SELECT 1 AS one", [], { sink });
  assertEquals(last, [["one"], 1]);
});

sessionTest(
  "refuses more arguments than the protocol has room for",
  async (session) => {
    const args = new Array<string>(65_536).fill("1");
    const error = await failure(session.query("SELECT 1", args));
    assertEquals(error.code, "54023");
    assertEquals(
      error.message,
      "Cannot run the statement: 65536 arguments are more than the 65535 that the protocol allows; send fewer at a time",
    );
    assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
  },
);

sessionTest(
  "sends as many arguments as the protocol has room for",
  async (session) => {
    const args = Array.from({ length: 65_535 }, (_, index) => String(index));
    const parameters = args.map((_, index) => `$${index + 1}::INT8`);
    const { rows } = await session.query(
      `SELECT count(*), max(a) FROM unnest(ARRAY[${parameters}]) AS a`,
      args,
    );
    assertEquals(rows, [["65535", "65534"]]);
  },
);

sessionTest("refuses a NUL character, which no text holds", async (session) => {
  const error = await failure(session.query("SELECT 'a\0b'"));
  assertEquals(error.code, "22021");
  assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
});

sessionTest("refuses a second call while one is under way", async (session) => {
  const first = session.query("SELECT 1");
  assertEquals((await failure(session.query("SELECT 2"))).code, "55006");
  assertEquals((await first).rows, [["1"]]);
});

sessionTest("knows the state of its transaction", async (session) => {
  await session.query("BEGIN");
  assertEquals(session.transactionStatus, "open");
  await failure(session.query("SELECT 1 / 0"));
  assertEquals(session.transactionStatus, "failed");
  const again = await failure(session.query("SELECT $1::INT8", ["1"]));
  assertEquals(again.code, "25P02");
  assertEquals((await session.query("COMMIT")).command, "ROLLBACK");
  assertEquals(session.transactionStatus, "idle");
});

sessionTest("learns a parameter that changes", async (session) => {
  await session.query("SET application_name = 'changed'");
  assertEquals(session.parameters.application_name, "changed");
}, { on: ["postgresql"] });

sessionTest(
  "ends where its texts would no longer be UTF-8",
  async (session) => {
    await session.query("SET client_encoding = 'UTF8'");
    await session.query("SET client_encoding = 'UNICODE'");
    const error = await failure(
      session.query("SET client_encoding = 'LATIN1'; SELECT 'é'"),
    );
    assertEquals(
      [error.code, error.kind, error.message],
      [
        "0A000",
        "other",
        "Cannot go on with the client_encoding LATIN1: this client reads and writes UTF8; leave that as it is",
      ],
    );
    assertEquals(session.broken, true);
  },
  { on: ["postgresql"] },
);

sessionTest(
  "refuses COPY from and to the client, and goes on",
  async (session) => {
    for (const args of [[], null]) {
      const run = (text: string) =>
        args ? session.query(text) : collect(session.stream(text));
      await session.query("CREATE TEMP TABLE IF NOT EXISTS copied (a TEXT)");
      const from = await failure(run("COPY copied FROM STDIN"));
      assertEquals(
        [from.code, from.message],
        ["0A000", "Cannot COPY FROM STDIN through this client; use INSERT"],
      );
      for (const where of ["true", "false"]) {
        const to = await failure(
          run(`COPY (SELECT 1 WHERE ${where}) TO STDOUT`),
        );
        assertEquals(
          [to.code, to.message],
          ["0A000", "Cannot COPY TO STDOUT through this client; use SELECT"],
        );
      }
      assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
    }
  },
  { on: ["postgresql"] },
);
