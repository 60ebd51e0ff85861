import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { pgDriver } from "../../src/driver/pg.ts";
import { startupMessage } from "../../src/driver/requests.ts";
import { withoutDenoPostgres } from "../support/drivers.ts";
import {
  answer,
  expect,
  loopback,
  scriptedServer,
  send,
  type Step,
} from "../support/scripted_server.ts";
import { askForPassword, greeting } from "../support/wire.ts";

const pathOf = (path: string) =>
  fromFileUrl(new URL(`../../${path}`, import.meta.url));

/** Runs the session of `tests/testdata/pg_session.ts` in a process of its own. */
async function runSession(
  address: { host: string; port: number },
  options: { permissions: string[]; env?: Record<string, string> },
): Promise<Record<string, unknown>> {
  const map = withoutDenoPostgres ? "tools/npm_imports.json" : "deno.json";
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--no-check", "--no-lock"],
      `--import-map=${pathOf(map)}`,
      ...options.permissions,
      pathOf("tests/testdata/pg_session.ts"),
      address.host,
      String(address.port),
    ],
    env: options.env,
  }).output();
  const [text, problem] = [stdout, stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  assert(text !== "", problem);
  return JSON.parse(text);
}

/** Lets a client in and keeps its start-up message. */
function keepStartup(kept: Uint8Array[]): Step {
  return async (peer) => {
    const frame = await peer.next();
    kept.push(frame!.bytes);
    await send(greeting())(peer);
  };
}

Deno.test("pgDriver() connects with the permission for its server alone, and lets the process end", async () => {
  for (const host of ["127.0.0.1", "localhost"]) {
    await using server = await scriptedServer([keepStartup([]), answer("x")]);
    const { port } = server;
    const printed = await runSession({ host, port }, {
      permissions: [`--allow-net=${host}:${port}`],
    });
    assertEquals(printed, { rows: [["x"]], sameEnv: true });
  }
});

Deno.test("pgDriver() takes nothing from PG* variables", async () => {
  const kept: Uint8Array[] = [];
  await using server = await scriptedServer([keepStartup(kept), answer("x")]);
  const { port } = server;
  const printed = await runSession({ host: "127.0.0.1", port }, {
    permissions: ["--allow-net", "--allow-env"],
    env: {
      NODE_PG_FORCE_NATIVE: "1",
      PGAPPNAME: "other",
      PGBINARY: "1",
      PGOPTIONS: "-c statement_timeout=1",
      PGREPLICATION: "database",
      PGSSLMODE: "require",
      PGSSLNEGOTIATION: "direct",
    },
  });
  assertEquals(printed, { rows: [["x"]], sameEnv: true });
  const config = { ...loopback(port), applicationName: "" };
  assertEquals(new Uint8Array(kept[0]), startupMessage(config));
});

Deno.test("pgDriver() lets a missing permission through as it is", async () => {
  for (const host of ["127.0.0.1", "localhost"]) {
    const { name, message } = await runSession({ host, port: 5 }, {
      permissions: [],
    });
    assertEquals(name, "NotCapable");
    assertMatch(message as string, /Requires net access to ".*:5"/);
  }
});

Deno.test("pgDriver() shows no password in a session or an error", async () => {
  await using server = await scriptedServer([
    expect("StartupMessage"),
    send(askForPassword()),
    expect("PasswordMessage"),
    send(greeting()),
    answer("x"),
  ]);
  const password = "hunter2";
  const session = await pgDriver().connect({ ...server.config, password });
  assertEquals((await session.query("SELECT 1")).rows, [["x"]]);
  const shown = Deno.inspect(session, { depth: 20, showHidden: true });
  assert(!shown.includes(password));
  await session.close();
});
