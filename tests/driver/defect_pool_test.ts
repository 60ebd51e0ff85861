/**
 * Defects 6, 7 and 8 of deno-postgres 0.19.5: its pool. Each test shows the defect on the bare pool
 * first, where that is at hand, and then that a pool of ours does without it.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { SessionPool } from "../../src/database/pool.ts";
import { resolveConfig } from "../../src/driver/config.ts";
import { barePool, bareProcess, hangs } from "../support/bare.ts";
import { server } from "../support/database.ts";
import {
  defectTestOn,
  failure,
  ok,
  poolDefectTest,
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
} from "../support/scripted_server.ts";
import { errorResponse } from "../support/wire.ts";

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
