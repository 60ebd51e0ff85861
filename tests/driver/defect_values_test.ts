/**
 * Defect 14 of deno-postgres 0.19.5: what it does to values. Each test shows the defect on the bare
 * client first, where that is at hand, and then that a session or `Database` of ours does without it.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { Database } from "../../src/database/database.ts";
import type { DatabaseOptions } from "../../src/database/options.ts";
import { decodeRows, json } from "../../src/database/values.ts";
import { resolveConfig } from "../../src/driver/config.ts";
import { type BareClient, bareClient } from "../support/bare.ts";
import { server } from "../support/database.ts";
import { defectTest, defectTestOn, failure, ok } from "../support/defects.ts";
import { expect, logIn, send } from "../support/scripted_server.ts";
import {
  bound,
  commandComplete,
  concat,
  dataRow,
  readyForQuery,
  rowDescription,
} from "../support/wire.ts";

interface ValueHalves {
  /** Shows the defect. */
  bare: (client: BareClient) => Promise<void>;
  /** Shows that our values don't have it. */
  ours: (db: Database) => Promise<void>;
  /** What our `Database` is told. */
  options?: DatabaseOptions;
}

const config = resolveConfig({ url: server.url });

/** Registers a test of values that a real server takes and gives. */
function valueDefectTest(name: string, halves: ValueHalves): void {
  const { bare, ours, options } = halves;
  defectTestOn(name, config, {
    bare: async (config) => {
      const client = await bareClient(config);
      await client.connect();
      await bare(client);
      await client.end();
    },
    ours: async (driver) => {
      await using db = new Database({ ...options, url: server.url, driver });
      await ours(db);
    },
  });
}

/** Runs a half of a test in another zone, and proves that the zone is in force. */
function inZone<T>(
  { zone, offset }: { zone: string; offset: number },
  fn: (value: T) => Promise<void>,
): (value: T) => Promise<void> {
  return async (value) => {
    const before = Deno.env.get("TZ");
    try {
      Deno.env.set("TZ", zone);
      assertEquals(new Date(2026, 0, 1).getTimezoneOffset(), offset);
      await fn(value);
    } finally {
      if (before === undefined) Deno.env.delete("TZ");
      else Deno.env.set("TZ", before);
    }
  };
}

const TOKYO = { zone: "Asia/Tokyo", offset: -540 };
const NEW_YORK = { zone: "America/New_York", offset: 300 };

valueDefectTest("14: an array is no JSON, and an empty one is an object", {
  bare: async (client) => {
    const text = "SELECT $1::JSONB";
    const error = await assertRejects(() => client.queryArray(text, [[1, 2]]));
    assertMatch(Deno.inspect(error), /22P02/);
    assertEquals((await client.queryArray(text, [[]])).rows, [[{}]]);
  },
  ours: async (db) => {
    for (const value of [[1, 2], [], ["a"], [[null], { a: [] }]]) {
      const row = await db.queryOne`SELECT ${json(value)}::JSONB AS j`;
      assertEquals(row, { j: value });
    }
  },
});

valueDefectTest("14: a TIMESTAMP at New Year is off by a year outside UTC", {
  bare: inZone(TOKYO, async (client) => {
    const { rows } = await client.queryArray(
      "SELECT '2024-01-01 05:00:00'::TIMESTAMP",
    );
    const [[time]] = rows as [[Date]];
    // It means the wall clock's time, as its own encoder does.
    assertEquals([time.getFullYear(), time.getHours()], [2025, 5]);
  }),
  ours: inZone(TOKYO, async (db) => {
    const [row] = await db.query<{ t: Date }>(
      "SELECT '2024-01-01 05:00:00'::TIMESTAMP AS t",
    );
    assertEquals(row.t.toISOString(), "2024-01-01T05:00:00.000Z");
    assertEquals(
      await db.queryOne`SELECT ${row.t}::TIMESTAMP::TEXT AS t`,
      { t: "2024-01-01 05:00:00" },
    );
  }),
});

valueDefectTest("14: a DATE that goes there and back loses a day west of UTC", {
  bare: inZone(NEW_YORK, async (client) => {
    const { rows } = await client.queryArray("SELECT '2024-05-06'::DATE");
    const text = "SELECT $1::DATE::TEXT";
    assertEquals((await client.queryArray(text, rows[0])).rows, [[
      "2024-05-05",
    ]]);
  }),
  ours: inZone(NEW_YORK, async (db) => {
    const [row] = await db.query("SELECT '2024-05-06'::DATE AS d");
    assertEquals(
      await db.queryOne`SELECT ${row.d}::DATE::TEXT AS d`,
      { d: "2024-05-06" },
    );
  }),
});

const MOMENT = "2024-05-06 07:08:09.123456+00";

valueDefectTest("14: a timestamp loses its microseconds", {
  bare: async (client) => {
    const { rows } = await client.queryArray(`SELECT '${MOMENT}'::TIMESTAMPTZ`);
    const text = `SELECT $1::TIMESTAMPTZ = '${MOMENT}'::TIMESTAMPTZ`;
    assertEquals((await client.queryArray(text, rows[0])).rows, [[false]]);
  },
  options: { timestamps: "temporal" },
  ours: async (db) => {
    const [{ t }] = await db.query(`SELECT '${MOMENT}'::TIMESTAMPTZ AS t`);
    assertEquals(`${t}`, "2024-05-06T07:08:09.123456Z");
    assertEquals(
      await db.queryOne(`SELECT $1::TIMESTAMPTZ = '${MOMENT}' AS same`, [t]),
      { same: true },
    );
  },
});

valueDefectTest("14: an array of bytes is stored as other bytes", {
  bare: async (client) => {
    const text = "SELECT encode(($1::BYTEA[])[1], 'hex')";
    const { rows } = await client.queryArray(text, [[Uint8Array.of(1, 255)]]);
    // That is the text `x01ff`.
    assertEquals(rows, [["7830316666"]]);
  },
  ours: async (db) => {
    const text = "SELECT encode(($1::BYTEA[])[1], 'hex') AS hex";
    assertEquals(
      await db.queryOne(text, [[Uint8Array.of(1, 255)]]),
      { hex: "01ff" },
    );
  },
});

const JSONB = 3802;

defectTest("14: a value that it can't decode becomes null", {
  scripts: () => [[
    logIn(),
    expect("Query"),
    send(
      rowDescription(["broken"], JSONB),
      dataRow(["{"]),
      commandComplete("SELECT 1"),
      readyForQuery(),
    ),
  ]],
  bare: async (client) => {
    assertEquals((await client.queryArray("SELECT broken")).rows, [[null]]);
  },
  ours: async (session) => {
    const { columns, rows } = await session.query("SELECT broken");
    const options = { int8: "auto", timestamps: "date" } as const;
    assertThrows(
      () => decodeRows(columns, rows, options),
      TypeError,
      'Cannot decode column "broken" (jsonb)',
    );
  },
});

defectTest("14: DDL affects NaN rows", {
  scripts: () => [[logIn(), expect("Query"), ok("CREATE TABLE")]],
  bare: async (client) => {
    const { rowCount } = await client.queryArray("CREATE TABLE t ()");
    assertEquals(rowCount, NaN);
  },
  ours: async (session) => {
    const { rowCount } = await session.query("CREATE TABLE t ()");
    assertEquals(rowCount, 0);
  },
});

defectTest("14: too many arguments wrap, and the rest is lost", {
  scripts: () => [[
    logIn(),
    async ({ next, socket }) => {
      for (let frame = await next(); frame; frame = await next()) {
        if (frame.type !== "Sync") continue;
        socket.write(concat([
          bound(),
          commandComplete("SELECT 1"),
          readyForQuery(),
        ]));
      }
    },
  ]],
  bare: async (client, { received }) => {
    await client.queryArray("SELECT 1", new Array(65_537).fill("x"));
    assert(received[0].includes("Bind"));
  },
  ours: async (session, { received }) => {
    const args = new Array<string>(65_537).fill("x");
    assertEquals(
      (await failure(session.query("SELECT 1", args))).code,
      "54023",
    );
    assertEquals(received, [["StartupMessage"]]);
  },
});
