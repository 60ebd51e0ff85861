/**
 * The command `crdb`: migrations from the terminal, from a deployment, from a program.
 *
 * Here is the way of every call, from the arguments to the exit code. Nothing else of the project
 * prints, and nothing else ends the process.
 *
 * ```sh
 * deno run --allow-net=localhost:26257 --allow-read=./migrations --allow-env=DATABASE_URL \
 *   jsr:@x/crdb/cli migrate
 * ```
 *
 * @module
 */

import { isJsonWanted, parseArguments } from "./src/cli/arguments.ts";
import type { Outcome } from "./src/cli/command.ts";
import { COMMANDS } from "./src/cli/commands.ts";
import { describeFailure } from "./src/cli/failure.ts";
import { type CommandIo, terminalIo } from "./src/cli/io.ts";
import { jsonDocument } from "./src/cli/json_output.ts";
import { createReporter } from "./src/cli/reporter.ts";
import { LenientWriter } from "./src/cli/writers.ts";

export type { CommandIo } from "./src/cli/io.ts";
export type { TextWriter } from "./src/cli/writers.ts";

/**
 * Runs a command.
 *
 * @example
 * ```ts
 * import { main } from "@x/crdb/cli";
 *
 * const exitCode = await main(["help", "migrate"]);
 * console.log(exitCode); // 0
 * ```
 *
 * @param args The arguments, without the program's name.
 * @param io Where its output goes and its signals come from. Default: this process.
 * @returns The exit code: 0 done, 1 a migration or the database failed, 2 wrong usage, 3 pending
 * migrations or problems, 4 the lease wasn't obtained in time, 5 a permission or a file is missing,
 * 130 interrupted.
 */
export async function main(
  args: readonly string[],
  io: Partial<CommandIo> = {},
): Promise<number> {
  const { stdout, stderr, listen }: CommandIo = { ...terminalIo(), ...io };
  const full: CommandIo = {
    stdout,
    stderr: new LenientWriter(stderr),
    listen,
  };
  const isJson = isJsonWanted(args);
  const isVerbose = args.includes("--verbose");
  // Where the arguments can't be read, the first word that is a command is the likely one.
  let name = args.find((arg) => COMMANDS.some((one) => one.name === arg)) ??
    null;
  let outcome: Outcome;
  let addressed: string | undefined;
  try {
    const { command, given } = parseArguments(args, COMMANDS);
    name = command.name;
    addressed = given.addressed;
    outcome = await command.run({
      args: given,
      io: full,
      reporter: createReporter(given, full),
    });
  } catch (error) {
    outcome = { error };
  }
  const { error, text = "", goOn } = outcome;
  const failure = error === undefined
    ? undefined
    : describeFailure(error, { isVerbose, addressed, goOn });
  const code = outcome.code ?? failure?.code ?? 0;
  if (isJson) {
    full.stdout.write(jsonDocument({ name, code, outcome, failure }));
    return code;
  }
  if (text !== "") full.stdout.write(`${text}\n`);
  if (failure) full.stderr.write(`${failure.message}\n`);
  return code;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
