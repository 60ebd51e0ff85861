/**
 * What only the adapter on deno-postgres has to do; what every driver does is in
 * `conformance_*_test.ts`.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { resolveConfig } from "../../src/driver/config.ts";
import type { Driver } from "../../src/driver/driver.ts";
import { DatabaseError } from "../../src/errors.ts";
import { server } from "../support/database.ts";
import { drivers } from "../support/drivers.ts";
import {
  expect,
  logIn,
  scriptedServer,
  send,
} from "../support/scripted_server.ts";
import {
  authenticationOk,
  errorResponse,
  parameterStatus,
  readyForQuery,
} from "../support/wire.ts";

const { driver, reason } = drivers[0];

function denoPostgresTest(
  name: string,
  fn: (driver: Driver) => Promise<void>,
  ignore = reason,
): void {
  Deno.test({
    name: ignore === undefined ? name : `${name} [ignored: ${ignore}]`,
    ignore: ignore !== undefined,
    fn: () => fn(driver),
  });
}

denoPostgresTest(
  "No other code sees that deno-postgres is given a connection of ours",
  async (driver) => {
    await using server = await scriptedServer([logIn()]);
    const { connect, env } = Deno;
    const connecting = driver.connect(server.config);
    const seen = new Set<unknown>();
    const watch = setInterval(() => seen.add(Deno.connect).add(Deno.env));
    const looks = async () => {
      for (let turn = 0; turn < 1_000; turn++) {
        seen.add(Deno.connect).add(Deno.env);
        await undefined;
      }
    };
    const [session] = await Promise.all([connecting, looks()]);
    clearInterval(watch);
    await session.close();
    assertEquals(seen, new Set<unknown>([connect, env]));
  },
);

denoPostgresTest(
  "A log-in that fails leaves the runtime's functions in place",
  async (driver) => {
    const { connect, env } = Deno;
    await using server = await scriptedServer([
      expect("StartupMessage"),
      send(errorResponse({
        severity: "FATAL",
        code: "53300",
        message: "too many clients",
      })),
    ]);
    const error = await assertRejects(
      () => driver.connect(server.config),
      DatabaseError,
    );
    assertEquals(error.code, "53300");
    assertStrictEquals(Deno.connect, connect);
    assertStrictEquals(Deno.env, env);
  },
);

denoPostgresTest(
  "The environment neither changes a connection nor breaks it",
  async (driver) => {
    const variables = { PGOPTIONS: "junk", PGPORT: "x", PGAPPNAME: "other" };
    const before = Object.keys(variables)
      .map((name) => [name, Deno.env.get(name)] as const);
    try {
      for (const [name, value] of Object.entries(variables)) {
        Deno.env.set(name, value);
      }
      await using server = await scriptedServer([logIn()]);
      const session = await driver.connect(server.config);
      await session.close();
      assertEquals(server.received[0][0], "StartupMessage");
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) Deno.env.delete(name);
        else Deno.env.set(name, value);
      }
    }
  },
);

denoPostgresTest(
  "A statement of a server that gave no key is cancelled by closing the connection",
  async (driver) => {
    await using server = await scriptedServer([
      expect("StartupMessage"),
      send(
        authenticationOk(),
        parameterStatus("server_version", "13.0.0"),
        readyForQuery(),
      ),
    ]);
    const session = await driver.connect(server.config);
    const signal = AbortSignal.abort("enough");
    await assertRejects(() => session.query("SELECT 1", ["1"], { signal }));
    assertEquals(session.broken, false);
    const limit = new AbortController();
    const sleeping = session.query("SELECT 1", ["1"], { signal: limit.signal });
    const stopped = new Error("enough");
    limit.abort(stopped);
    assertEquals(await assertRejects(() => sleeping), stopped);
    assertEquals(session.broken, true);
    await session.close();
    assertEquals(server.received.length, 1);
  },
);

denoPostgresTest(
  "A session whose server hangs up between statements is broken at once",
  async (driver) => {
    const goOn = Promise.withResolvers<void>();
    await using server = await scriptedServer([
      logIn(),
      () => goOn.promise,
      send(errorResponse({
        severity: "FATAL",
        code: "57P01",
        message: "draining",
      })),
    ]);
    const session = await driver.connect(server.config);
    assertEquals(session.broken, false);
    goOn.resolve();
    while (!session.broken) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const error = await assertRejects(
      () => session.query("SELECT 1"),
      DatabaseError,
    );
    assertEquals([error.code, error.kind], ["57P01", "connection"]);
    assertEquals(error.statement, "SELECT 1");
    await session.close();
  },
);

denoPostgresTest(
  "A session that is left open does not keep the process alive",
  async () => {
    await using server = await scriptedServer([logIn()]);
    const adapter = import.meta.resolve("../../src/driver/deno_postgres.ts");
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["eval", "--config", config],
        `import { denoPostgresDriver } from ${JSON.stringify(adapter)};
         await denoPostgresDriver().connect(${JSON.stringify(server.config)});
         console.log("connected");`,
      ],
    });
    const { code, stdout } = await child.output();
    assertEquals([code, new TextDecoder().decode(stdout)], [0, "connected\n"]);
  },
);

const unreal = server.kind === "pglite"
  ? "PGlite has no backpressure"
  : undefined;

denoPostgresTest(
  "A stream of 200 MB takes no more memory than a few batches",
  async (driver) => {
    const session = await driver.connect(resolveConfig({ url: server.url }));
    const text =
      "SELECT repeat('x', 1000) FROM generate_series(1, 200000) AS g";
    // What is garbage is collected some time within a part; what is held stays through all of it.
    let [count, held, most] = [0, Infinity, 0];
    const before = Deno.memoryUsage();
    for await (const { rows } of session.stream(text)) {
      count += rows.length;
      const { heapUsed, external } = Deno.memoryUsage();
      held = Math.min(
        held,
        heapUsed + external - before.heapUsed - before.external,
      );
      if (count % 50_000 !== 0) continue;
      most = Math.max(most, held);
      held = Infinity;
    }
    await session.close();
    assertEquals(count, 200_000);
    assert(most < 64 * 1024 ** 2, `${most} bytes were taken`);
  },
  reason ?? unreal,
);

denoPostgresTest(
  "A connection under sslmode=disable is refused with what the server says",
  async (driver) => {
    await using server = await scriptedServer([
      expect("StartupMessage"),
      send(errorResponse({
        code: "08P01",
        message: "node is running secure mode, SSL connection required",
      })),
    ]);
    const error = await assertRejects(
      () => driver.connect(server.config),
      DatabaseError,
    );
    assertMatch(error.message, /SSL connection required/);
  },
);
