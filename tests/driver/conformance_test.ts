/**
 * What a driver's sessions have to do, the same for every driver, on the server that tests run on.
 *
 * @module
 */

import { connect, createServer } from "node:net";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { resolveConfig } from "../../src/driver/config.ts";
import type {
  Column,
  ConnectionConfig,
  Driver,
  RowBatch,
  Session,
  TextRow,
} from "../../src/driver/driver.ts";
import { pgDriver } from "../../src/driver/pg.ts";
import { DatabaseError } from "../../src/errors.ts";
import { server, type ServerKind } from "../support/database.ts";
import { driverTest } from "../support/drivers.ts";
import {
  expect,
  listen,
  logIn,
  loopback,
  scriptedServer,
  send,
} from "../support/scripted_server.ts";
import {
  askForPassword,
  errorResponse,
  greeting,
  noticeResponse,
  readyForQuery,
} from "../support/wire.ts";

const SEVERAL: ServerKind[] = ["cockroachdb", "postgresql"];
const config = resolveConfig({ url: server.url });

/** Registers a test with a session of each driver. */
function sessionTest(
  name: string,
  fn: (session: Session) => Promise<void>,
  options: { on?: ServerKind[]; ignore?: string } = {},
): void {
  const { on = [...SEVERAL, "pglite"] } = options;
  const ignore = options.ignore ??
    (on.includes(server.kind)
      ? undefined
      : `it needs ${on.join(" or ")}, this is ${server.kind}`);
  driverTest(name, async (driver) => {
    const session = await driver.connect(config);
    try {
      await fn(session);
    } finally {
      await session.close();
    }
  }, { ignore });
}

/** Runs a test on a table of its own. */
async function withTable(
  session: Session,
  options: { columns: string; fn: (table: string) => Promise<void> },
): Promise<void> {
  const table = `conformance_${crypto.randomUUID().replaceAll("-", "")}`;
  await session.query(`CREATE TABLE ${table} (${options.columns})`);
  await options.fn(table);
  await session.query(`DROP TABLE ${table}`);
}

function failure(promise: Promise<unknown>): Promise<DatabaseError> {
  return assertRejects(() => promise, DatabaseError);
}

async function collect(batches: AsyncIterable<RowBatch>): Promise<RowBatch[]> {
  return await Array.fromAsync(batches);
}

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

sessionTest(
  "cancels a statement that takes too long, and goes on",
  async (session) => {
    for (const args of [[], ["60"]]) {
      const text = `SELECT pg_sleep(${args.length ? "$1::FLOAT8" : 60})`;
      const error = await failure(session.query(text, args, { timeoutMs: 50 }));
      assertEquals([error.code, error.kind], ["57014", "timeout"]);
      assertEquals(
        error.message,
        "Cannot finish the statement within 50 ms: it was cancelled; raise timeoutMs, or shorten the statement",
      );
      assertEquals(error.statement, text);
      assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
    }
    assertEquals(session.broken, false);
  },
  { on: SEVERAL },
);

sessionTest(
  "cancels a statement whose signal fires, with the signal's reason",
  async (session) => {
    const reason = new Error("enough");
    const controller = new AbortController();
    const { signal } = controller;
    const sleeping = session.query("SELECT pg_sleep(60)", [], { signal });
    controller.abort(reason);
    assertEquals(await assertRejects(() => sleeping), reason);
    assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
  },
  { on: SEVERAL },
);

sessionTest(
  "runs nothing where the signal has fired before",
  async (session) => {
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    const rejected = await assertRejects(() =>
      session.query("SET application_name = 'z'", [], { signal })
    );
    assertEquals(rejected, reason);
    const { rows } = await session.query("SHOW application_name");
    assertNotEquals(rows, [["z"]]);
  },
);

sessionTest(
  "lets no cancel request hit the next statement",
  async (session) => {
    for (let round = 0; round < 20; round++) {
      const controller = new AbortController();
      const { signal } = controller;
      const first = session.query("SELECT pg_sleep(0.002)", [], { signal });
      first.catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, round % 5));
      controller.abort();
      await first.catch(() => {});
      assertEquals((await session.query("SELECT pg_sleep(0.001)")).rowCount, 1);
    }
  },
  { on: SEVERAL },
);

sessionTest(
  "cancels what is under way when it is asked to",
  async (session) => {
    const sleeping = failure(session.query("SELECT pg_sleep(60)"));
    await session.cancel();
    assertEquals((await sleeping).code, "57014");
    await session.cancel();
    assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
  },
  { on: SEVERAL },
);

sessionTest(
  "ends a stream with an error when it is cancelled",
  async (session) => {
    const error = await failure((async () => {
      const text = "SELECT * FROM generate_series(1, 100)";
      for await (const _ of session.stream(text, [], { batchSize: 10 })) {
        await session.cancel();
      }
    })());
    assertEquals(error.code, "57014");
    assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
  },
);

sessionTest("streams rows in batches", async (session) => {
  for (const args of [[], ["2500"]]) {
    const batches = await collect(session.stream(
      `SELECT g::INT8 AS n FROM generate_series(1, ${
        args.length ? "$1::INT8" : "2500"
      }) AS g`,
      args,
    ));
    assertEquals(batches.map(({ rows }) => rows.length), [
      ...Array(12).fill(200),
      100,
    ]);
    assertEquals(batches[1].columns, [{ name: "n", typeOid: 20 }]);
    assertEquals(batches.flatMap(({ rows }) => rows).at(-1), ["2500"]);
  }
});

sessionTest(
  "streams batches of any size, and none where there is no row",
  async (session) => {
    const sizes = async (text: string, batchSize: number) =>
      (await collect(session.stream(text, [], { batchSize })))
        .map(({ rows }) => rows.length);
    const three = "SELECT * FROM generate_series(1, 3)";
    assertEquals(await sizes(three, 1), [1, 1, 1]);
    assertEquals(await sizes(three, 3), [3]);
    assertEquals(await sizes(three, 4), [3]);
    assertEquals(await sizes("SELECT 1 WHERE false", 4), []);
    assertEquals(await sizes("SET application_name = 'y'", 4), []);
    assertEquals(await sizes("", 4), []);
    await assertRejects(() => sizes(three, 0), RangeError, "batches of 0 rows");
  },
);

sessionTest(
  "frees the session where a stream is left early",
  async (session) => {
    // In the select list PostgreSQL makes the rows one by one.
    const text = "SELECT generate_series(1, 100000000)";
    for (const begin of ["", "BEGIN"]) {
      await session.query(begin);
      for await (
        const { rows } of session.stream(text, [], { batchSize: 10 })
      ) {
        assertEquals(rows.length, 10);
        break;
      }
      assertEquals(session.broken, false);
      if (session.transactionStatus === "failed") {
        await session.query(
          "ROLLBACK",
        );
      }
      assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
      if (session.transactionStatus !== "idle") await session.query("ROLLBACK");
    }
  },
  { on: SEVERAL },
);

sessionTest(
  "streams no more than one statement, and goes on",
  async (session) => {
    const two = "SELECT 1; SELECT 2";
    const error = await failure(collect(session.stream(two)));
    assertMatch(error.code, /^42(601|P14)$/);
    assertEquals(error.statement, two);
    assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
  },
);

sessionTest("ends a stream with the error that it meets", async (session) => {
  const rows: unknown[] = [];
  const text = "SELECT 10 / (5 - g) FROM generate_series(1, 10) AS g";
  const error = await failure((async () => {
    for await (const batch of session.stream(text, [], { batchSize: 2 })) {
      rows.push(...batch.rows);
    }
  })());
  assertEquals([error.code, error.statement], ["22012", text]);
  assert(rows.length <= 4);
  assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
  assertEquals((await failure(collect(session.stream("nope")))).code, "42601");
  assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
});

sessionTest("limits a stream as a whole", async (session) => {
  const text =
    "SELECT repeat('x', 10000), pg_sleep(0.01) FROM generate_series(1, 9999)";
  const error = await failure(
    collect(session.stream(text, [], { batchSize: 2, timeoutMs: 100 })),
  );
  assertEquals([error.code, error.kind], ["57014", "timeout"]);
  assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
  const controller = new AbortController();
  const { signal } = controller;
  const reason = new Error("enough");
  const rejected = await assertRejects(async () => {
    for await (const _ of session.stream(text, [], { batchSize: 2, signal })) {
      controller.abort(reason);
    }
  });
  assertEquals(rejected, reason);
  assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
}, { on: SEVERAL });

sessionTest(
  "keeps a time limit though rows come faster than they are read",
  async (session) => {
    // In the select list PostgreSQL makes the rows one by one.
    const text = "SELECT generate_series(1, 5000000)";
    const error = await failure(session.query(text, [], { timeoutMs: 50 }));
    assertEquals([error.code, error.kind], ["57014", "timeout"]);
    assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
  },
  { on: SEVERAL },
);

sessionTest("streams a million rows within 64 MiB", async (session) => {
  const text =
    "SELECT g, 'row number ' || g FROM generate_series(1, 1000000) AS g";
  const taken = () => {
    const { heapUsed, external } = Deno.memoryUsage();
    return heapUsed + external;
  };
  const before = taken();
  // What is garbage is collected some time within a part; what is held stays through all of it.
  let [count, held, most] = [0, Infinity, 0];
  for await (const { rows } of session.stream(text)) {
    count += rows.length;
    held = Math.min(held, taken() - before);
    if (count % 100_000 !== 0) continue;
    most = Math.max(most, held);
    held = Infinity;
  }
  assertEquals(count, 1_000_000);
  assert(most < 64 * 1024 ** 2, `${most} bytes were taken`);
}, { on: SEVERAL });

driverTest("reads a stream only as fast as it is taken", async (driver) => {
  let passed = 0;
  const proxy = createServer((near) => {
    const far = connect(config.port, config.host);
    near.on("error", () => {}).on("close", () => far.destroy()).pipe(far);
    far.on("error", () => {}).on("close", () => near.destroy()).on(
      "data",
      ({ length }) => passed += length,
    ).pipe(near);
  });
  const port = await listen(proxy);
  const session = await driver.connect({ ...config, host: "127.0.0.1", port });
  const text = "SELECT repeat('x', 1000), generate_series(1, 200000)";
  for await (const _ of session.stream(text)) {
    let before = -1;
    while (before !== passed) {
      before = passed;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    break;
  }
  const atOnce = passed;
  await session.close();
  await new Promise((resolve) => proxy.close(resolve));
  assert(atOnce < 100_000_000, `${atOnce} bytes were read for one batch`);
}, {
  ignore: server.kind === "pglite" ? "PGlite has no backpressure" : undefined,
});

sessionTest(
  "ends a batch early where its rows are long, and loses none",
  async (session) => {
    const text = "SELECT repeat('x', 300000) || g, g::TEXT " +
      "FROM generate_series(1, 40) AS g";
    const numbers: (string | null)[] = [];
    for await (const { rows } of session.stream(text, [], { batchSize: 40 })) {
      assert(rows.length <= 8, `${rows.length} rows in a batch`);
      for (const [long, number] of rows) {
        assertEquals(long!.length, 300_000 + number!.length);
        numbers.push(number);
      }
    }
    assertEquals(numbers, Array.from({ length: 40 }, (_, i) => `${i + 1}`));
  },
);

sessionTest("streams all rows in a transaction, too", async (session) => {
  await session.query("BEGIN");
  const numbers: (string | null)[] = [];
  const text = "SELECT g, $1::TEXT AS t FROM generate_series(1, 2500) AS g";
  for await (
    const { columns, rows } of session.stream(text, ["x"], { batchSize: 300 })
  ) {
    assertEquals(columns.map(({ name }) => name), ["g", "t"]);
    assert(rows.length <= 300, `${rows.length} rows in a batch`);
    numbers.push(...rows.map(([number]) => number));
  }
  assertEquals(numbers, Array.from({ length: 2_500 }, (_, i) => `${i + 1}`));
  assertEquals(session.transactionStatus, "open");
  await session.query("COMMIT");
});

sessionTest(
  "leaves a stream in a transaction wherever the caller likes, and goes on",
  async (session) => {
    await session.query("BEGIN");
    for (const taken of [1, 1_000, 1_001, 3_500]) {
      let count = 0;
      const text = "SELECT repeat('x', 100) FROM generate_series(1, 1000000)";
      for await (const { rows } of session.stream(text, [], { batchSize: 1 })) {
        count += rows.length;
        if (count >= taken) break;
      }
      assertEquals(session.busy, false);
      assertEquals(session.transactionStatus, "open");
      assertEquals((await session.query("SELECT 7")).rows, [["7"]]);
      assertEquals((await session.query("SELECT $1::INT8", ["8"])).rows, [[
        "8",
      ]]);
    }
    await session.query("COMMIT");
  },
);

sessionTest(
  "tells an error that comes late in a stream of a transaction",
  async (session) => {
    await session.query("BEGIN");
    let count = 0;
    const error = await failure((async () => {
      const text = "SELECT 1 / (2500 - g) FROM generate_series(1, 3000) AS g";
      for await (const { rows } of session.stream(text)) count += rows.length;
    })());
    assertEquals(error.code, "22012");
    assert(count <= 2_499, `${count} rows`);
    assertEquals(session.transactionStatus, "failed");
    await session.query("ROLLBACK");
  },
);

sessionTest("ends a stream in a transaction at its limits", async (session) => {
  await session.query("BEGIN");
  const error = await failure((async () => {
    const text = "SELECT g FROM generate_series(1, 1000000) AS g";
    for await (const _ of session.stream(text, [], { timeoutMs: 100 })) {
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  })());
  assertEquals(error.code, "57014");
  if (!session.broken) await session.query("ROLLBACK");
}, { on: SEVERAL });

sessionTest("is of no more use once it is closed", async (session) => {
  await session.close();
  await session.close();
  assertEquals(session.broken, true);
  const error = await failure(session.query("SELECT 1"));
  assertEquals([error.code, error.kind], ["08003", "connection"]);
});

sessionTest("ends a call under way when it is closed", async (session) => {
  const sleeping = failure(session.query("SELECT pg_sleep(60)"));
  await session.close();
  assertEquals((await sleeping).code, "08003");
}, { on: SEVERAL });

driverTest("starts sessions with their settings", async (driver) => {
  const session = await driver.connect({
    ...config,
    applicationName: "a b\\c",
    sessionSettings: { statement_timeout: "54321", timezone: "Asia/Tokyo" },
  });
  const show = async (name: string) =>
    (await session.query(`SHOW ${name}`)).rows[0][0]!;
  assertEquals(await show("application_name"), "a b\\c");
  assertMatch(await show("statement_timeout"), /^54321(ms)?$/);
  assertEquals(await show("timezone"), "Asia/Tokyo");
  assertMatch(await show("datestyle"), /^ISO/);
  await session.close();
}, { ignore: server.kind === "pglite" ? "PGlite has one session" : undefined });

driverTest("refuses a database that isn't there", async (driver) => {
  const error = await failure(
    driver.connect({ ...config, database: "there_is_no_such_database" })
      .then(async (session) => {
        // CockroachDB tells it with the first statement.
        await session.query("SELECT 1 FROM nope").finally(() =>
          session.close()
        );
      }),
  );
  assertMatch(error.code, /^(3D000|42P01)$/);
}, {
  ignore: server.kind === "pglite" ? "PGlite has one database" : undefined,
});

driverTest("names the server that it can't reach", async (driver) => {
  const closed = createServer();
  const free = await listen(closed);
  await new Promise((resolve) => closed.close(resolve));
  const error = await failure(driver.connect(loopback(free)));
  assertEquals([error.code, error.kind], ["08001", "connection"]);
  assertEquals(
    error.message,
    `Cannot connect to 127.0.0.1:${free}: the connection was refused; check that a server listens there`,
  );
});

driverTest(
  "gives up on a server that doesn't answer, in time",
  async (driver) => {
    await using server = await scriptedServer([]);
    const slow = { ...server.config, connectTimeoutMs: 100 };
    const error = await failure(driver.connect(slow));
    assertEquals(error.code, "08001");
    assertEquals(
      error.message,
      `Cannot connect to 127.0.0.1:${server.port}: the server didn't answer within 100 ms; check host, port and network, or raise the connect timeout`,
    );
  },
);

driverTest("gives up to connect when the signal fires", async (driver) => {
  await using server = await scriptedServer([]);
  const controller = new AbortController();
  const { signal } = controller;
  const connecting = driver.connect(server.config, { signal });
  const reason = new Error("enough");
  controller.abort(reason);
  assertEquals(await assertRejects(() => connecting), reason);
});

driverTest(
  "fails to log in without the password that the server asks for",
  async (driver) => {
    await using server = await scriptedServer([
      expect("StartupMessage"),
      send(askForPassword()),
      async ({ next }) => void await next(),
      send(errorResponse({
        severity: "FATAL",
        code: "28P01",
        message: "password authentication failed",
      })),
    ]);
    const error = await failure(driver.connect(server.config));
    assertEquals([error.code, error.kind], ["28P01", "permission"]);
  },
);

driverTest(
  "keeps what the server says to a log-in, and no password",
  async (driver) => {
    await using server = await scriptedServer([
      expect("StartupMessage"),
      send(askForPassword()),
      expect("PasswordMessage"),
      send(
        noticeResponse({ code: "00000", message: "be careful" }),
        errorResponse({
          severity: "FATAL",
          code: "28P01",
          message: "password authentication failed",
          hint: "ask",
        }),
      ),
    ]);
    const password = "hunter2";
    const error = await failure(driver.connect({ ...server.config, password }));
    assertEquals([error.code, error.hint], ["28P01", "ask"]);
    assertEquals(error.notices.map(({ message }) => message), ["be careful"]);
    assert(!Deno.inspect(error, { depth: 9 }).includes(password));
  },
);

driverTest(
  "does not log in to what isn't a PostgreSQL server",
  async (driver) => {
    const http = new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n");
    await using server = await scriptedServer([
      expect("StartupMessage"),
      send(http),
    ]);
    const error = await failure(driver.connect(server.config));
    assertEquals([error.code, error.kind], ["08001", "connection"]);
    assertEquals(
      error.message,
      `Cannot connect to 127.0.0.1:${server.port}: the answer isn't PostgreSQL's; check host and port`,
    );
  },
);

driverTest("reports parameters that only this server has", async (driver) => {
  const crdb_version = "CockroachDB CCL v25.2.0";
  await using server = await scriptedServer([logIn({ crdb_version })]);
  const session = await driver.connect(server.config);
  assertEquals(session.parameters.crdb_version, crdb_version);
  await session.close();
});

driverTest(
  "speaks plain text under prefer where the server has no TLS, never under require",
  async (driver) => {
    const refusal = [expect("SSLRequest"), send(new TextEncoder().encode("N"))];
    const greeted = [expect("StartupMessage"), send(greeting())];
    await using server = await scriptedServer(refusal, greeted, refusal);
    const using = (mode: "prefer" | "require"): ConnectionConfig => ({
      ...server.config,
      tls: { mode },
    });
    const session = await driver.connect(using("prefer"));
    await session.close();
    const error = await failure(driver.connect(using("require")));
    assertEquals(error.code, "08001");
    assertStringIncludes(error.message, "the server does not speak TLS");
    assertEquals(server.received[2], ["SSLRequest"]);
  },
);

driverTest(
  "tries TLS under allow where the server refuses plain text",
  async (driver) => {
    const refused = { severity: "FATAL", code: "28000", message: "use TLS" };
    await using server = await scriptedServer(
      [expect("StartupMessage"), send(errorResponse(refused))],
      [expect("SSLRequest"), send(new TextEncoder().encode("N"))],
    );
    const error = await failure(
      driver.connect({ ...server.config, tls: { mode: "allow" } }),
    );
    assertStringIncludes(error.message, "the server does not speak TLS");
    assertEquals(server.received, [["StartupMessage"], ["SSLRequest"]]);
  },
);

driverTest(
  "ends a session whose cancelled statement doesn't end",
  async (driver) => {
    await using server = await scriptedServer(
      [logIn(), expect("Query")],
      [expect("CancelRequest"), ({ socket }) => void socket.end()],
    );
    const session = await driver.connect(server.config);
    const error = await failure(
      session.query("SELECT pg_sleep(60)", [], { timeoutMs: 20 }),
    );
    assertEquals([error.code, session.broken], ["57014", true]);
    assertEquals((await failure(session.query("SELECT 1"))).code, "08006");
    await session.close();
  },
);

driverTest(
  "breaks a session whose answer breaks the protocol",
  async (driver) => {
    const http = new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n");
    for (
      const bytes of [
        [0x21, 0, 0, 0, 4],
        [0x44, 0, 0, 0, 6, 0, 9],
        [0x44, 0x7f, 0xff, 0xff, 0xff],
        [0x44, 0xff, 0xff, 0xff, 0xff],
        http,
      ]
    ) {
      await using server = await scriptedServer([
        logIn(),
        expect("Query"),
        send(Uint8Array.from(bytes), readyForQuery()),
      ]);
      const session = await driver.connect(server.config);
      const error = await failure(session.query("SELECT 1"));
      assertEquals(error.code, "08P01");
      assertEquals(session.broken, true);
      await session.close();
    }
  },
);

driverTest("notices that the server ends an idle session", async (driver) => {
  const fatal = { severity: "FATAL", code: "57P01", message: "draining" };
  await using server = await scriptedServer([
    logIn(),
    send(errorResponse(fatal)),
    ({ socket }) => void socket.end(),
  ]);
  const session = await driver.connect(server.config);
  while (!session.broken) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const error = await failure(session.query("SELECT 1"));
  assertEquals([error.code, error.statement], ["57P01", "SELECT 1"]);
  await session.close();
});

sessionTest("learns a parameter that changes", async (session) => {
  await session.query("SET application_name = 'changed'");
  assertEquals(session.parameters.application_name, "changed");
}, { on: ["postgresql"] });

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
      const to = await failure(run("COPY (SELECT 1) TO STDOUT"));
      assertEquals(
        [to.code, to.message],
        ["0A000", "Cannot COPY TO STDOUT through this client; use SELECT"],
      );
      assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
    }
  },
  { on: ["postgresql"] },
);

const socketFolder = await findSocketFolder();

/** The folder of the server's Unix socket, where it has one that is in reach. */
async function findSocketFolder(): Promise<string | undefined> {
  if (server.kind !== "postgresql") return undefined;
  const session = await pgDriver().connect(config);
  const { rows } = await session.query("SHOW unix_socket_directories");
  await session.close();
  const folders = rows[0][0]!.split(",").map((folder) => folder.trim());
  for (const folder of folders) {
    const path = `${folder}/.s.PGSQL.${config.port}`;
    if (await Deno.stat(path).then(() => true, () => false)) return folder;
  }
}

driverTest(
  "connects through a Unix socket, and cancels through it",
  async (driver: Driver) => {
    const session = await driver.connect({ ...config, host: socketFolder! });
    assertEquals((await session.query("SELECT $1::TEXT", ["x"])).rows, [["x"]]);
    const error = await failure(
      session.query("SELECT pg_sleep(60)", [], { timeoutMs: 20 }),
    );
    assertEquals(error.code, "57014");
    assertEquals((await session.query("SELECT 1")).rows, [["1"]]);
    await session.close();
  },
  { ignore: socketFolder ? undefined : "the server has no Unix socket" },
);
