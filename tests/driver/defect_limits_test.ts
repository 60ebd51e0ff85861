/**
 * Defect 12 of deno-postgres 0.19.5: nothing limits its statements, connections and log-ins, or
 * cancels them. Each test shows the defect on the bare client first, where that is at hand, and then
 * that a session of ours does without it.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { bareClient, bareProcess, hangs } from "../support/bare.ts";
import { defectTest, failure, refuse, showing } from "../support/defects.ts";
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
import { frame } from "../support/wire.ts";

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
