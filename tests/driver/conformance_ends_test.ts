/**
 * How sessions end, the same for every driver, on the server that tests run on.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import { DatabaseError } from "../../src/errors.ts";
import { driverTest } from "../support/drivers.ts";
import {
  close,
  expect,
  logIn,
  scriptedServer,
  send,
  skipTo,
  type Step,
} from "../support/scripted_server.ts";
import { collect, failure, sessionTest, SEVERAL } from "../support/sessions.ts";
import {
  bound,
  commandComplete,
  dataRow,
  errorResponse,
  frame,
  readyForQuery,
  rowDescription,
} from "../support/wire.ts";

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

const GOOD_BYE = errorResponse({
  severity: "FATAL",
  code: "57P01",
  message: "draining",
});

/** Ends of a session that come in the same packet as an answer, or right behind it. */
function endingsOf(answer: Uint8Array[]): Step[][] {
  return [
    [send(...answer), close()],
    [send(...answer, GOOD_BYE), close()],
    [send(...answer, GOOD_BYE)],
    [send(...answer), send(GOOD_BYE), close()],
  ];
}

driverTest(
  "keeps an answer that is complete where the session ends right behind it",
  async (driver) => {
    const rows = [rowDescription(["value"]), dataRow(["1"]), dataRow(["2"])];
    const end = [commandComplete("SELECT 2"), readyForQuery()];
    for (const ending of endingsOf([...rows, ...end])) {
      await using server = await scriptedServer(
        [logIn(), expect("Query"), ...ending],
        [logIn(), skipTo("Sync"), send(bound()), ...ending],
      );
      const session = await driver.connect(server.config);
      const { rows, rowCount } = await session.query("SELECT 1");
      assertEquals([rows, rowCount], [[["1"], ["2"]], 2]);
      const { kind } = await failure(session.query("SELECT 1"));
      assertEquals([kind, session.broken], ["connection", true]);

      const other = await driver.connect(server.config);
      const batches = await collect(other.stream("x", [], { batchSize: 1 }));
      assertEquals(batches.flatMap(({ rows }) => rows), [["1"], ["2"]]);
      await failure(other.query("SELECT 1"));
      assertEquals(other.broken, true);
    }
  },
);

driverTest(
  "fails where the session ends between two portions of a stream",
  async (driver) => {
    const portion = [rowDescription(["value"]), dataRow(["1"])];
    const ready = [frame("s"), readyForQuery("T")];
    for (const ending of endingsOf([bound(), ...portion, ...ready])) {
      await using server = await scriptedServer([
        ...[logIn(), expect("Query")],
        send(commandComplete("BEGIN"), readyForQuery("T")),
        ...[skipTo("Sync"), ...ending],
      ]);
      const session = await driver.connect(server.config);
      await session.query("BEGIN");
      const { kind } = await failure(collect(session.stream("x")));
      assertEquals([kind, session.broken], ["connection", true]);
    }
  },
);

driverTest(
  "takes what is said of COMMIT where the session ends right behind it",
  async (driver) => {
    const refused = errorResponse({ code: "23505", message: "not unique" });
    const cases = [commandComplete("COMMIT"), refused]
      .flatMap((said) => endingsOf([said, readyForQuery()]));
    for (const [index, ending] of cases.entries()) {
      await using server = await scriptedServer([
        ...[logIn(), expect("Query")],
        send(commandComplete("BEGIN"), readyForQuery("T")),
        ...[expect("Query"), ...ending],
      ]);
      const { host, port } = server.config;
      await using db = new Database({ host, port, driver });
      const done = db.transaction(() => Promise.resolve("done"));
      if (index < 4) assertEquals(await done, "done");
      else {
        const error = await assertRejects(() => done, DatabaseError);
        assertEquals(error.code, "23505");
      }
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
