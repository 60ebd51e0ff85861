/**
 * Runs this project's tasks in the mode that the machine allows: the demo, the tests, the
 * benchmarks, the gate before a release, and the command itself.
 *
 * @module
 */

import { climb } from "../tests/support/ladder.ts";
import { withFaultPoints } from "./fault_points.ts";
import { detectMode, type Mode } from "./mode.ts";

const ROOT = new URL("..", import.meta.url).pathname;

const TASKS: Record<string, (mode: Mode, args: string[]) => Promise<number>> = {
  demo: (mode) => deno(["run", "-A", ...mode.flags, "examples/demo.ts"]),
  test: (mode, args) =>
    test(mode, args.length > 0 ? args : ["tests", "examples"]),
  "test:faults": (mode, args) =>
    args.length > 0 ? test(mode, args, howManyFaults()) : faults(mode),
  bench: (mode, args) =>
    deno(["run", "-A", ...mode.flags, "bench/bench.ts", ...args]),
  crdb: (mode, args) =>
    deno(["run", "-A", ...mode.flags, "cli.ts", ...args], Deno.cwd()),
  ok,
};

/** Runs deno in the project's folder, and returns its exit code. */
async function deno(
  args: string[],
  cwd = ROOT,
  env: Record<string, string> = {},
): Promise<number> {
  const own = args.map((arg) => arg === "cli.ts" ? `${ROOT}cli.ts` : arg);
  const config = cwd === ROOT ? [] : [`--config=${ROOT}deno.json`];
  const [command, ...rest] = own;
  const child = new Deno.Command(Deno.execPath(), {
    args: [command, ...config, ...rest],
    cwd,
    env,
  }).spawn();
  return (await child.status).code;
}

/** Runs the tests on the first server of the ladder, and closes with a line of counts. */
async function test(
  mode: Mode,
  paths: string[],
  env?: Record<string, string>,
): Promise<number> {
  return (await runTests(mode, paths, env)).code;
}

async function runTests(
  mode: Mode,
  paths: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; printed: string }> {
  const server = await climb();
  console.log(`Tests run on ${server.description}`);
  const child = new Deno.Command(Deno.execPath(), {
    // The gate checks the types of all that is here; that again would take as long as fifty tests.
    args: ["test", "-A", ...new Set(["--no-check", ...mode.flags]), ...paths],
    cwd: ROOT,
    env: {
      ...env,
      DATABASE_URL: server.url,
      CRDB_TEST_RUNG: server.rung,
      CRDB_MODE: mode.name,
    },
    stdout: "piped",
  }).spawn();
  const onTerminate = () => child.kill("SIGTERM");
  Deno.addSignalListener("SIGTERM", onTerminate);
  let printed = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    await Deno.stdout.write(chunk);
    printed += decoder.decode(chunk, { stream: true });
  }
  const { code } = await child.status;
  Deno.removeSignalListener("SIGTERM", onTerminate);
  await server.stop();
  // deno-lint-ignore no-control-regex
  const plain = printed.replace(/\x1b\[[0-9;]*m/g, "");
  const counts = countsOf(plain);
  if (!counts) {
    console.error(
      "Cannot count the tests: deno test ended without its summary",
    );
    return { code: code || 1, printed: plain };
  }
  console.log(
    `${counts.passed} passed, ${counts.failed} failed, ${counts.ignored} skipped`,
  );
  return { code, printed: plain };
}

function howManyFaults(): Record<string, string> {
  return { CRDB_FAULTS: Deno.env.get("CRDB_FAULTS") ?? "all" };
}

/** Runs the whole fault suite; where it passes, the README says how many points that were. */
async function faults(mode: Mode): Promise<number> {
  const { code, printed } = await runTests(
    mode,
    ["tests/faults"],
    howManyFaults(),
  );
  if (code !== 0) return code;
  const path = `${ROOT}README.md`;
  const date = new Date().toISOString().slice(0, 10);
  const readme = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, withFaultPoints(readme, printed, date));
  return await deno(["fmt", "--quiet", path]);
}

function countsOf(
  printed: string,
): { passed: string; failed: string; ignored: string } | undefined {
  const summary = [...printed.matchAll(/^(?:ok|FAILED) \| (\d+) passed.*$/gm)]
    .at(-1);
  if (!summary) return undefined;
  const count = (word: string) =>
    new RegExp(String.raw`\| (\d+) ${word}`).exec(summary[0])?.[1] ?? "0";
  return {
    passed: summary[1],
    failed: count("failed"),
    ignored: count("ignored"),
  };
}

/** The gate: everything that has to hold before a release. */
async function ok(mode: Mode): Promise<number> {
  const entries = ["mod.ts", "cli.ts", "pg.ts", "testing.ts"];
  const needsJsr: [string, string[]][] = [
    ["check", [
      "check",
      ...entries,
      "src",
      "tests",
      "examples",
      "tools",
      "bench",
    ]],
    ["doc lint", ["doc", "--lint", ...entries]],
    ["publish dry-run", ["publish", "--dry-run", "--allow-dirty"]],
  ];
  for (
    const [name, args] of [["fmt", ["fmt", "--check"]], ["lint", [
      "lint",
    ]]] as const
  ) {
    if (await gate(name, () => deno([...args]))) return 1;
  }
  for (const [name, args] of needsJsr) {
    if (mode.name === "npm") {
      console.log(`Skipped ${name}: it needs the packages of JSR`);
    } else if (await gate(name, () => deno(args))) return 1;
  }
  return await gate("test", () => test(mode, ["tests", "examples"]));
}

async function gate(name: string, run: () => Promise<number>): Promise<number> {
  console.log(`\n# ${name}`);
  const code = await run();
  if (code !== 0) console.error(`The gate stopped at ${name}`);
  return code;
}

if (import.meta.main) {
  const [name, ...args] = Deno.args;
  const task = TASKS[name];
  if (!task) {
    console.error(
      `Cannot run the task "${name ?? ""}": it is one of ${
        Object.keys(TASKS).join(", ")
      }`,
    );
    Deno.exit(2);
  }
  // A child gets the terminal's Ctrl-C too and settles its own affairs; we wait for its exit code.
  Deno.addSignalListener("SIGINT", () => {});
  const mode = await detectMode();
  console.error(mode.description);
  Deno.exit(await task(mode, args));
}
