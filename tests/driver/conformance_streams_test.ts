/**
 * How a session streams, the same for every driver, on the server that tests run on.
 *
 * @module
 */

import { connect, createServer } from "node:net";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { server } from "../support/database.ts";
import { driverTest } from "../support/drivers.ts";
import { listen } from "../support/scripted_server.ts";
import {
  collect,
  config,
  failure,
  sessionTest,
  SEVERAL,
} from "../support/sessions.ts";

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
