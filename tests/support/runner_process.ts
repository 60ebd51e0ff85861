/**
 * Starts a runner in a process of its own, and follows what it says.
 *
 * @module
 */

import type { MigrationEvent } from "../../src/migration/events.ts";
import { withoutDenoPostgres } from "./drivers.ts";
import type { Order, Result } from "./runner.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** A runner that runs. */
export interface RunnerProcess {
  /** Sends it a signal. */
  kill(signal: Deno.Signal): void;
  /** Waits until it tells of an event that fits. */
  seen(fits: (event: MigrationEvent) => boolean): Promise<void>;
  /** Waits for its end; `undefined` where it was killed before it had a result. */
  readonly result: Promise<Result | undefined>;
}

/** Starts a runner. */
export function startRunner(order: Order): RunnerProcess {
  const flags = withoutDenoPostgres === undefined
    ? []
    : [`--import-map=${ROOT}tools/npm_imports.json`];
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", `--config=${ROOT}deno.json`, ...flags],
      ...[`${ROOT}tests/support/runner.ts`, JSON.stringify(order)],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const events: MigrationEvent[] = [];
  const waiting = new Set<() => void>();
  const result = (async () => {
    let result: Result | undefined;
    let rest = "";
    for await (
      const text of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const said = JSON.parse(line);
        if ("type" in said) events.push(said);
        else result = said;
      }
      waiting.forEach((wake) => wake());
    }
    await child.status;
    return result;
  })();
  return {
    kill: (signal) => child.kill(signal),
    async seen(fits) {
      while (!events.some(fits)) {
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.add(resolve);
        const end = await Promise.race([
          promise,
          result.then((end) => ({ end })),
        ]);
        waiting.delete(resolve);
        if (end) {
          throw new Error(`the runner ended first: ${JSON.stringify(end.end)}`);
        }
      }
    },
    result,
  };
}
