/**
 * The defects of deno-postgres 0.19.5 that a session of ours must not have. Each test shows the
 * defect on the bare client first, where that is at hand, and then that a session does without it.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { SessionPool } from "../../src/database/pool.ts";
import { decodeRows, encodeArguments } from "../../src/database/values.ts";
import type { Driver, Session } from "../../src/driver/driver.ts";
import { ConfigError, DatabaseError } from "../../src/errors.ts";
import {
  type BareClient,
  bareClient,
  type BarePool,
  barePool,
  hangs,
  type Traffic,
  withTraffic,
} from "../support/bare.ts";
import { driverTest, withoutDenoPostgres } from "../support/drivers.ts";
import {
  answer,
  close,
  expect,
  logIn,
  reset,
  scriptedServer,
  send,
  skipTo,
  type Step,
} from "../support/scripted_server.ts";
import {
  bound,
  commandComplete,
  concat,
  dataRow,
  errorResponse,
  noticeResponse,
  readyForQuery,
  rowDescription,
} from "../support/wire.ts";

interface Context {
  /** What the server received, a list for each connection. */
  received: string[][];
  /** What passed the connections. */
  traffic: Traffic;
}

interface Halves {
  /** What the server does on its connections. */
  scripts: () => Step[][];
  /** Shows the defect. */
  bare: (client: BareClient, context: Context) => Promise<void>;
  /** Shows that a session of ours doesn't have it. */
  ours: (session: Session, context: Context) => Promise<void>;
}

/** Registers a test of a defect for each driver; the bare client's half goes with deno-postgres. */
function defectTest(name: string, halves: Halves): void {
  const { scripts, bare, ours } = halves;
  driverTest(`has not defect ${name}`, async (driver) => {
    if (isDenoPostgres(driver)) {
      await using server = await scriptedServer(...scripts());
      const { received, port } = server;
      await withTraffic(async (traffic) => {
        const client = await bareClient(port);
        await client.connect();
        await bare(client, { received, traffic });
      });
    }
    await using server = await scriptedServer(...scripts());
    const { received, config } = server;
    await withTraffic(async (traffic) => {
      const session = await driver.connect(config);
      await ours(session, { received, traffic });
      await session.close();
    });
  });
}

function isDenoPostgres(driver: Driver): boolean {
  return withoutDenoPostgres === undefined && driver.name === "deno-postgres";
}

/** The same for a defect of the pool. */
function poolDefectTest(
  name: string,
  halves: {
    scripts: () => Step[][];
    size: number;
    bare: (pool: BarePool) => Promise<void>;
    ours: (pool: SessionPool, received: string[][]) => Promise<void>;
  },
): void {
  const { scripts, size, bare, ours } = halves;
  driverTest(`has not defect ${name}`, async (driver) => {
    if (isDenoPostgres(driver)) {
      await using server = await scriptedServer(...scripts());
      await withTraffic(async () => bare(await barePool(server.port, size)));
    }
    await using server = await scriptedServer(...scripts());
    const pool = new SessionPool(driver, server.config, { max: size });
    await ours(pool, server.received);
    await pool.close();
  });
}

function failure(promise: Promise<unknown>): Promise<DatabaseError> {
  return assertRejects(() => promise, DatabaseError);
}

const ok = (tag: string, status: "I" | "T" | "E" = "I") =>
  send(commandComplete(tag), readyForQuery(status));

const refuse = (code: string, status: "I" | "T" | "E" = "I") =>
  send(
    errorResponse({ code, message: "restart transaction" }),
    readyForQuery(status),
  );

/** Answers every statement in the same way. */
function always(step: Step): Step {
  return async (peer) => {
    while (await peer.next() !== undefined) await step(peer);
  };
}

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
      assert(!Deno.inspect(error).includes("job 7 goes on"));
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

defectTest("4: a COMMIT that fails is sent again and again", {
  scripts: () => [
    [logIn(), expect("Query"), ok("BEGIN", "T"), always(refuse("40001"))],
  ],
  bare: async (client, { received }) => {
    const transaction = client.createTransaction("t");
    await transaction.begin();
    assert(await hangs(transaction.queryArray("COMMIT")));
    const commits = received[0].filter((type) => type === "Query").length;
    assert(commits > 10, `${commits} statements`);
  },
  ours: async (session, { received }) => {
    await session.query("BEGIN");
    assertEquals((await failure(session.query("COMMIT"))).code, "40001");
    assertEquals(session.transactionStatus, "idle");
    assertEquals(received, [["StartupMessage", "Query", "Query"]]);
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
    bare: async (pool) => {
      const client = await pool.connect();
      await client.queryArray("BEGIN");
      client.release();
      client.release();
      const [first, second] = [await pool.connect(), await pool.connect()];
      assert(first === client && second === client);
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

driverTest(
  "has not defect 11: it speaks plain text where TLS fails, and ignores certificates",
  async (driver) => {
    const refuseTls = [
      expect("SSLRequest"),
      send(new TextEncoder().encode("N")),
    ];
    if (isDenoPostgres(driver)) {
      await using server = await scriptedServer([...refuseTls, logIn()]);
      await withTraffic(async () => {
        const client = await bareClient(server.port, {
          tls: { enabled: true },
        });
        await client.connect();
        assertEquals(server.received, [["SSLRequest", "StartupMessage"]]);
      });
    }
    await using server = await scriptedServer(refuseTls);
    const { config } = server;
    for (const mode of ["require", "verify-ca", "verify-full"] as const) {
      const error = await failure(driver.connect({ ...config, tls: { mode } }));
      assertMatch(error.message, /the server does not speak TLS/);
    }
    const rootCert = "/there/is/no/such.pem";
    await assertRejects(
      () => driver.connect({ ...config, tls: { mode: "require", rootCert } }),
      ConfigError,
      rootCert,
    );
    assertEquals(
      server.received.slice(0, 3),
      new Array(3).fill(["SSLRequest"]),
    );
    assert(!server.received.flat().includes("StartupMessage"));
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

const TIMESTAMPTZ = 1184;
const sent: string[] = [];

defectTest("14: data is changed on its way", {
  scripts: () => [[
    logIn(),
    expect("Query"),
    send(
      rowDescription(["time"], TIMESTAMPTZ),
      dataRow(["2024-05-06 07:08:09.123456+00"]),
      commandComplete("SELECT 1"),
      readyForQuery(),
    ),
    expect("Parse"),
    async ({ next }) => {
      sent.push(new TextDecoder().decode((await next())?.body));
    },
    skipTo("Sync"),
    send(bound(), commandComplete("INSERT 0 1"), readyForQuery()),
  ]],
  bare: async (client) => {
    const [[time]] = (await client.queryArray("SELECT time")).rows;
    assert(!Deno.inspect(time).includes("123456"));
    await client.queryArray("INSERT $1", [[Uint8Array.of(1, 255)]]);
    assertStringIncludes(sent.pop()!, "{\\x01ff}");
  },
  ours: async (session) => {
    const { columns, rows } = await session.query("SELECT time");
    const options = { int8: "auto", timestamps: "temporal" } as const;
    const [{ time }] = decodeRows(columns, rows, options);
    assertEquals(`${time}`, "2024-05-06T07:08:09.123456Z");
    const args = encodeArguments([[Uint8Array.of(1, 255)]]);
    await session.query("INSERT $1", args);
    // In an array's text a backslash stands for itself only when it is doubled.
    assertStringIncludes(sent.pop()!, '{"\\\\x01ff"}');
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
