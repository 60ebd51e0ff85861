/**
 * Answers whose texts don't end: a reader that looks for their ends would look for ever, and no timer
 * would run. So each driver reads them in a process that can be killed.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { driverTest, withoutDenoPostgres } from "../support/drivers.ts";
import {
  expect,
  logIn,
  scriptedServer,
  send,
  type Step,
} from "../support/scripted_server.ts";
import { commandComplete, frame, readyForQuery } from "../support/wire.ts";

const TIMEOUT_MS = 20_000;

const pathOf = (path: string) =>
  fromFileUrl(new URL(`../../${path}`, import.meta.url));

/** Gives the code of the error that a session ends with, or what keeps it from ending. */
async function outcome(driver: string, script: Step[]): Promise<string> {
  await using server = await scriptedServer(script);
  const map = withoutDenoPostgres ? "tools/npm_imports.json" : "deno.json";
  const { stdout, stderr, signal } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--no-check", "--no-lock", "--allow-net"],
      ...["--allow-env", `--import-map=${pathOf(map)}`],
      pathOf("tests/testdata/malformed_answer.ts"),
      ...[driver, String(server.port)],
    ],
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).output();
  const [printed, problem] = [stdout, stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  return printed.trim() || signal || problem;
}

/** The fields of an error, of which the last `missing` bytes don't come. */
function cut(missing: number): Uint8Array {
  const fields = "SFATAL\0C53300\0Mtoo many clients\0\0";
  return new TextEncoder().encode(fields.slice(0, fields.length - missing));
}

driverTest(
  "doesn't look for ever for the end of an error's fields",
  async ({ name }) => {
    for (const missing of [1, 2]) {
      const error = frame("E", cut(missing));
      const during = [expect("StartupMessage"), send(error)];
      assertEquals(await outcome(name, during), "08001");
      const behind = [logIn(), expect("Query"), send(error, readyForQuery())];
      assertEquals(await outcome(name, behind), "08P01");
    }
  },
);

driverTest(
  "doesn't look for ever for the end of a notice's fields",
  async ({ name }) => {
    const answer = [
      ...[frame("N", cut(2)), commandComplete("SELECT 0")],
      readyForQuery(),
    ];
    const script = [logIn(), expect("Query"), send(...answer)];
    assertEquals(await outcome(name, script), "08P01");
  },
);
