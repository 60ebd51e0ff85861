/**
 * The defects of deno-postgres 0.19.5 that a session of ours must not have. Each test shows the defect
 * on the bare client first, where that is at hand, and then that a session of ours does without it.
 * Those of its transactions (4), its pool (6 to 8), its protection (11), its limits (12) and its
 * values (14) have files of their own.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { hangs } from "../support/bare.ts";
import { defectTest, failure, ok, refuse } from "../support/defects.ts";
import {
  answer,
  close,
  expect,
  logIn,
  reset,
  send,
  type Step,
} from "../support/scripted_server.ts";
import {
  commandComplete,
  dataRow,
  errorResponse,
  noticeResponse,
  readyForQuery,
  rowDescription,
} from "../support/wire.ts";

/** Counts the packets that each statement comes in. */
function countPackets(counts: number[]): Step {
  return async (peer) => {
    for (let round = 0; round < 10; round++) {
      let packets = 0;
      const count = () => packets++;
      peer.socket.on("data", count);
      await answer("1")(peer);
      peer.socket.off("data", count);
      counts.push(packets);
    }
  };
}

const packets: number[] = [];

defectTest("1: five writes for one statement with arguments", {
  scripts: () => [[logIn(), countPackets(packets)]],
  bare: async (client) => {
    for (let round = 0; round < 10; round++) {
      await client.queryArray("SELECT $1", ["x"]);
    }
    // A busy machine may hand several writes on at once, but not ten times out of ten.
    assert(packets.some((count) => count > 1), `${packets}`);
  },
  ours: async (session) => {
    packets.length = 0;
    for (let round = 0; round < 10; round++) {
      await session.query("SELECT $1", ["x"]);
    }
    assertEquals(packets, new Array(10).fill(1));
  },
});

const ROWS = 2_000;

defectTest("2: two reads for one message", {
  scripts: () => [[
    logIn(),
    answer(...new Array<string>(ROWS).fill("x")),
  ]],
  bare: async (client, { traffic }) => {
    traffic.reads = 0;
    await client.queryArray("SELECT 'x'");
    assert(traffic.reads >= 2 * ROWS, `${traffic.reads} reads`);
  },
  ours: async (session, { traffic }) => {
    traffic.reads = 0;
    assertEquals((await session.query("SELECT 'x'")).rows.length, ROWS);
    assert(traffic.reads < ROWS / 10, `${traffic.reads} reads`);
  },
});

defectTest(
  "3: the SQLSTATE of a FATAL error and the notices before it are lost",
  {
    scripts: () => [[
      logIn(),
      expect("Query"),
      send(
        noticeResponse({ code: "00000", message: "job 7 goes on" }),
        errorResponse({
          severity: "FATAL",
          code: "57P01",
          message: "draining",
        }),
      ),
      close(),
    ]],
    bare: async (client) => {
      const error = await assertRejects(() => client.queryArray("SELECT 1"));
      assertEquals((error as Error).name, "ConnectionError");
      const shown = Deno.inspect(error, { showHidden: true, depth: 20 });
      for (const lost of ["57P01", "draining", "job 7 goes on"]) {
        assert(!shown.includes(lost), shown);
      }
    },
    ours: async (session) => {
      const error = await failure(session.query("SELECT 1"));
      assertEquals([error.code, error.kind], ["57P01", "connection"]);
      assertEquals(error.severity, "FATAL");
      assertEquals(
        error.notices.map(({ message }) => message),
        ["job 7 goes on"],
      );
      assertEquals(session.broken, true);
    },
  },
);

defectTest("3: the notices before any error are lost", {
  scripts: () => [[
    logIn(),
    expect("Query"),
    send(noticeResponse({ code: "00000", message: "job 7 goes on" })),
    refuse("40003"),
  ]],
  bare: async (client) => {
    const error = await assertRejects(() => client.queryArray("SELECT 1"));
    const shown = Deno.inspect(error, { showHidden: true, depth: 20 });
    assertMatch(shown, /40003/);
    assert(!shown.includes("job 7 goes on"), shown);
  },
  ours: async (session) => {
    const error = await failure(session.query("SELECT 1"));
    assertEquals(error.code, "40003");
    assertEquals(
      error.notices.map(({ message }) => message),
      ["job 7 goes on"],
    );
  },
});

defectTest(
  "5: it reconnects in the middle of a transaction, and says nothing",
  {
    scripts: () => [
      [logIn(), expect("Query"), ok("BEGIN", "T"), expect("Query"), close()],
      [logIn(), answer("autocommitted")],
    ],
    bare: async (client, { received }) => {
      await client.queryArray("BEGIN");
      await assertRejects(() => client.queryArray("INSERT 1"));
      const { rows } = await client.queryArray("INSERT 2");
      assertEquals([rows, received.length], [[["autocommitted"]], 2]);
    },
    ours: async (session, { received }) => {
      await session.query("BEGIN");
      const error = await failure(session.query("INSERT 1"));
      assertEquals([error.code, error.kind], ["08006", "connection"]);
      assertEquals((await failure(session.query("INSERT 2"))).code, "08006");
      assertEquals([session.broken, received.length], [true, 1]);
    },
  },
);

defectTest("6: it believes in a connection that is broken", {
  scripts: () => [[logIn(), expect("Query"), reset()]],
  bare: async (client) => {
    const error = await assertRejects(() => client.queryArray("SELECT 1"));
    assertNotEquals((error as Error).name, "ConnectionError");
    assertEquals(client.connected, true);
    await assertRejects(() => client.end());
  },
  ours: async (session) => {
    assertEquals((await failure(session.query("SELECT 1"))).code, "08006");
    assertEquals(session.broken, true);
    await session.close();
  },
});

defectTest("9: statements behind a lost connection hang", {
  scripts: () => [[logIn(), expect("Query"), close()], [close()]],
  bare: async (client) => {
    const lost = client.queryArray("SELECT 1");
    const queued = [1, 2].map(() => client.queryArray("SELECT 2"));
    await assertRejects(() => lost);
    assert(await hangs(Promise.allSettled(queued)));
  },
  ours: async (session) => {
    const lost = failure(session.query("SELECT 1"));
    const queued = [1, 2].map(() => failure(session.query("SELECT 2")));
    assertEquals((await lost).code, "08006");
    for (const error of await Promise.all(queued)) {
      assertMatch(error.code, /^(55006|08006)$/);
    }
    assertEquals((await failure(session.query("SELECT 2"))).code, "08006");
  },
});

defectTest(
  "10: the end of the stream in the middle of a message reads as zeros",
  {
    scripts: () => [[
      logIn(),
      expect("Query"),
      send(
        rowDescription(["value"]),
        dataRow(["1"]),
        commandComplete("SELECT 1"),
        readyForQuery().subarray(0, 5),
      ),
      close(),
    ]],
    bare: async (client) => {
      const { rows } = await client.queryArray("SELECT 1");
      assertEquals(rows, [["1"]]);
    },
    ours: async (session) => {
      assertEquals((await failure(session.query("SELECT 1"))).code, "08006");
      assertEquals(session.broken, true);
    },
  },
);

defectTest(
  "13: rows of several statements end up under the first one's columns",
  {
    scripts: () => [[
      logIn(),
      expect("Query"),
      send(
        rowDescription(["a"], 23),
        dataRow(["1"]),
        commandComplete("SELECT 1"),
        rowDescription(["b", "c"]),
        dataRow(["x", "y"]),
        commandComplete("SELECT 1"),
        readyForQuery(),
      ),
    ]],
    bare: async (client) => {
      const result = await client.queryArray(
        "SELECT 1 AS a; SELECT 'x' AS b, 'y' AS c",
      )
        .catch((error: Error) => error);
      const rows = result instanceof Error ? undefined : result.rows;
      assertNotEquals(rows, [["x", "y"]]);
    },
    ours: async (session) => {
      const { columns, rows } = await session.query(
        "SELECT 1 AS a; SELECT 'x' AS b, 'y' AS c",
      );
      assertEquals(columns.map(({ name }) => name), ["b", "c"]);
      assertEquals(rows, [["x", "y"]]);
    },
  },
);
