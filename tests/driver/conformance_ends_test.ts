/**
 * How sessions end, the same for every driver, on the server that tests run on.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { driverTest } from "../support/drivers.ts";
import {
  expect,
  logIn,
  scriptedServer,
  send,
} from "../support/scripted_server.ts";
import { failure, sessionTest, SEVERAL } from "../support/sessions.ts";
import { errorResponse, readyForQuery } from "../support/wire.ts";

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
