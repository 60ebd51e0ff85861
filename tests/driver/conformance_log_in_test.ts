/**
 * How sessions begin, the same for every driver, on the server that tests run on.
 *
 * @module
 */

import { createServer } from "node:net";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import type { ConnectionConfig, Driver } from "../../src/driver/driver.ts";
import { pgDriver } from "../../src/driver/pg.ts";
import { server } from "../support/database.ts";
import { driverTest } from "../support/drivers.ts";
import {
  expect,
  listen,
  logIn,
  loopback,
  scriptedServer,
  send,
} from "../support/scripted_server.ts";
import { config, failure } from "../support/sessions.ts";
import {
  askForPassword,
  errorResponse,
  frame,
  greeting,
  noticeResponse,
  readyForQuery,
} from "../support/wire.ts";

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

for (const severity of ["FATAL", "ERROR"]) {
  driverTest(
    `keeps what the server says to a log-in, and no password (${severity})`,
    async (driver) => {
      await using server = await scriptedServer([
        expect("StartupMessage"),
        send(askForPassword()),
        expect("PasswordMessage"),
        send(
          noticeResponse({ code: "00000", message: "be careful" }),
          errorResponse({
            severity,
            code: "28P01",
            message: "password authentication failed",
            hint: "ask",
          }),
        ),
      ]);
      const password = "hunter2";
      const error = await failure(
        driver.connect({ ...server.config, password }),
      );
      assertEquals([error.code, error.hint], ["28P01", "ask"]);
      assertEquals(error.notices.map(({ message }) => message), ["be careful"]);
      assert(!Deno.inspect(error, { depth: 9 }).includes(password));
    },
  );
}

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

driverTest(
  "says what a server asks for that isn't supported",
  async (driver) => {
    const gss = 7;
    await using server = await scriptedServer([
      expect("StartupMessage"),
      send(frame("R", gss)),
    ]);
    const error = await failure(driver.connect(server.config));
    assertEquals([error.code, error.kind], ["08001", "connection"]);
    assertEquals(
      error.message,
      `Cannot connect to 127.0.0.1:${server.port}: the server asks for a log-in of a kind that isn't supported (7); let it ask for SCRAM-SHA-256`,
    );
  },
);

driverTest(
  "takes no session of a server that is ready before it let it in",
  async (driver) => {
    await using server = await scriptedServer([
      expect("StartupMessage"),
      send(readyForQuery()),
    ]);
    const error = await failure(driver.connect(server.config));
    assertEquals([error.code, error.kind], ["08001", "connection"]);
    assertMatch(
      error.message,
      /^Cannot connect to 127\.0\.0\.1:\d+: the .*; check host and port$/,
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
