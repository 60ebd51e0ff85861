/**
 * The defects of deno-postgres 0.19.5 that a session of ours must not have. Each test shows the
 * defect on the bare client first, where that is at hand, and then that a session does without it.
 * Those of its transactions (4), its protection (11) and its values (14) have files of their own.
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
import { SessionPool } from "../../src/database/pool.ts";
import { resolveConfig } from "../../src/driver/config.ts";
import { bareClient, barePool, bareProcess, hangs } from "../support/bare.ts";
import { server } from "../support/database.ts";
import {
  defectTest,
  defectTestOn,
  failure,
  ok,
  poolDefectTest,
  refuse,
  showing,
} from "../support/defects.ts";
import { driverTest } from "../support/drivers.ts";
import {
  answer,
  close,
  expect,
  logIn,
  reset,
  scriptedServer,
  send,
  type Step,
} from "../support/scripted_server.ts";
import {
  commandComplete,
  dataRow,
  errorResponse,
  frame,
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

poolDefectTest("6: its pool lends a connection that is broken for ever", {
  scripts: () => [[logIn(), expect("Query"), reset()], [logIn(), answer("1")]],
  size: 1,
  bare: async (pool, received) => {
    const client = await pool.connect();
    for (let round = 0; round < 3; round++) {
      await assertRejects(() => client.queryArray("SELECT 1"));
      client.release();
      assert(await pool.connect() === client);
    }
    assertEquals(received.length, 1);
  },
  ours: async (pool) => {
    const lost = await pool.acquire();
    assertEquals((await failure(lost.session.query("SELECT 1"))).code, "08006");
    await lost.release();
    const loan = await pool.acquire();
    assertEquals((await loan.session.query("SELECT 1")).rows, [["1"]]);
    await loan.release();
  },
});

poolDefectTest(
  "7: its pool loses a slot on each failed connect, and then hangs",
  {
    scripts: () => [[close()], [logIn(), answer("1")]],
    size: 1,
    bare: async (pool) => {
      await assertRejects(() => pool.connect());
      assert(await hangs(pool.connect()));
    },
    ours: async (pool) => {
      // Whether the pool tries again by itself doesn't matter here.
      const loan = await pool.acquire().catch(() => pool.acquire());
      assertEquals((await loan.session.query("SELECT 1")).rows, [["1"]]);
      await loan.release();
    },
  },
);

driverTest(
  "has not defect 7: a pool whose first connection fails ends the process",
  async (driver) => {
    await using server = await scriptedServer([close()]);
    const { config } = server;
    await showing(driver, async () => {
      const { code, stderr } = await bareProcess(
        config,
        "new Pool(address, 1)",
      );
      assertEquals(code, 1);
      assertMatch(stderr, /Uncaught \(in promise\)/);
    });
    // A rejection that no one handles would fail this test.
    const pool = new SessionPool(driver, config, { max: 1 });
    assertEquals((await failure(pool.acquire())).kind, "connection");
    await pool.close();
  },
);

poolDefectTest(
  "8: a client that is released twice is lent twice, in its transaction",
  {
    scripts: () => [[
      logIn(),
      expect("Query"),
      ok("BEGIN", "T"),
      expect("Query"),
      ok("ROLLBACK"),
    ], [logIn()]],
    size: 2,
    bare: async (pool, received) => {
      const client = await pool.connect();
      await client.queryArray("BEGIN");
      client.release();
      client.release();
      const [first, second] = [await pool.connect(), await pool.connect()];
      assert(first === client && second === client);
      assertEquals(received, [["StartupMessage", "Query"]]);
    },
    ours: async (pool, received) => {
      const loan = await pool.acquire();
      await loan.session.query("BEGIN");
      await Promise.all([loan.release(), loan.release()]);
      assertEquals(received, [["StartupMessage", "Query", "Query"]]);
      assertEquals(loan.session.transactionStatus, "idle");
      const [first, second] = [await pool.acquire(), await pool.acquire()];
      assert(first.session !== second.session);
      await Promise.all([first.release(), second.release()]);
    },
  },
);

defectTestOn(
  "8: who borrows a client goes on with another's transaction",
  resolveConfig({ url: server.url }),
  {
    bare: async (config) => {
      const pool = await barePool(config, 1);
      const first = await pool.connect();
      await first.queryArray("BEGIN READ ONLY");
      first.release();
      const second = await pool.connect();
      const { rows } = await second.queryArray("SHOW transaction_read_only");
      assertEquals(rows, [["on"]]);
      await second.end();
    },
    ours: async (driver, config) => {
      const pool = new SessionPool(driver, config, { max: 1 });
      await pool.use((session) => session.query("BEGIN READ ONLY"));
      await pool.use(async (session) => {
        const { rows } = await session.query("SHOW transaction_read_only");
        assertEquals(rows, [["off"]]);
      });
      await pool.close();
    },
  },
);

poolDefectTest("8: nothing limits the wait for a client", {
  scripts: () => [[logIn()]],
  size: 1,
  bare: async (pool) => {
    await pool.connect();
    assert(await hangs(pool.connect()));
  },
  ours: async (pool) => {
    const loan = await pool.acquire();
    const error = await failure(pool.acquire({ timeoutMs: 20 }));
    assertEquals(error.kind, "timeout");
    await loan.release();
  },
});

let hangUp = () => {};

poolDefectTest("8: a client is lent whose server has gone long ago", {
  scripts: () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    hangUp = resolve;
    const fields = { severity: "FATAL", code: "57P05", message: "idle" };
    return [
      [logIn(), () => promise, send(errorResponse(fields)), close()],
      [logIn(), answer("1")],
    ];
  },
  size: 1,
  bare: async (pool) => {
    const client = await pool.connect();
    client.release();
    hangUp();
    assert(await pool.connect() === client);
    await assertRejects(() => client.queryArray("SELECT 1"));
  },
  ours: async (pool) => {
    const { session, release } = await pool.acquire();
    await release();
    hangUp();
    while (!session.broken) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const loan = await pool.acquire();
    assertEquals((await loan.session.query("SELECT 1")).rows, [["1"]]);
    await loan.release();
  },
});

poolDefectTest("8: no client is ever too old", {
  scripts: () => [[logIn()]],
  size: 1,
  limits: { maxLifetimeMs: 20 },
  bare: async (pool, received) => {
    const client = await pool.connect();
    client.release();
    await new Promise((resolve) => setTimeout(resolve, 40));
    assert(await pool.connect() === client);
    assertEquals(received.length, 1);
  },
  ours: async (pool) => {
    const { session, release } = await pool.acquire();
    await release();
    await new Promise((resolve) => setTimeout(resolve, 40));
    const loan = await pool.acquire();
    assert(loan.session !== session);
    await loan.release();
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

defectTest("12: nothing limits or cancels a statement", {
  scripts: () => {
    const cancelled = Promise.withResolvers<void>();
    return [
      [
        logIn(),
        expect("Query"),
        () => cancelled.promise,
        refuse("57014"),
        answer("1"),
      ],
      [expect("CancelRequest"), () => cancelled.resolve(), close()],
    ];
  },
  bare: async (client, { received }) => {
    assert(!("cancel" in client));
    const text = "SELECT pg_sleep(60)";
    const signal = AbortSignal.timeout(20);
    assert(await hangs(client.queryArray({ text, signal, timeoutMs: 20 })));
    assertEquals(received.length, 1);
  },
  ours: async (session, { received }) => {
    const text = "SELECT pg_sleep(60)";
    const error = await failure(session.query(text, [], { timeoutMs: 20 }));
    assertEquals([error.code, error.kind], ["57014", "timeout"]);
    assertEquals(received[1], ["CancelRequest"]);
    assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
  },
});

driverTest(
  "has not defect 12: nothing limits a log-in that the server doesn't answer",
  async (driver) => {
    await using server = await scriptedServer([expect("StartupMessage")]);
    const { config } = server;
    await showing(driver, async () => {
      assert(await hangs((await bareClient(config)).connect()));
    });
    const error = await failure(
      driver.connect({ ...config, connectTimeoutMs: 20 }),
    );
    assertEquals(error.kind, "connection");
    const signal = AbortSignal.timeout(20);
    const { name } = await assertRejects(
      () => driver.connect(config, { signal }),
      Error,
    );
    assertEquals(name, "TimeoutError");
  },
);

defectTest("12: a silent connection is not probed", {
  scripts: () => [[logIn()]],
  bare: (_, { traffic }) => Promise.resolve(assertEquals(traffic.keptAlive, 0)),
  ours: (_, { traffic }) => Promise.resolve(assertEquals(traffic.keptAlive, 1)),
});

driverTest(
  "has not defect 12: a log-in that can't be written to ends the process",
  async (driver) => {
    const mechanisms = new TextEncoder().encode("SCRAM-SHA-256\0\0");
    await using server = await scriptedServer([
      expect("StartupMessage"),
      send(frame("R", 10, mechanisms)),
      reset(),
    ]);
    const config = { ...server.config, password: "secret" };
    await showing(driver, async () => {
      const { code, stderr } = await bareProcess(
        config,
        "new Client(address).connect().catch(() => {})",
      );
      assertEquals(code, 1);
      assertMatch(stderr, /Uncaught \(in promise\)/);
    });
    // A rejection that no one handles would fail this test.
    assertEquals((await failure(driver.connect(config))).kind, "connection");
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
