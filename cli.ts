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
import { describeFailure, describeUnwritten } from "./src/cli/failure.ts";
import { type CommandIo, terminalIo } from "./src/cli/io.ts";
import { jsonDocument } from "./src/cli/json_output.ts";
import { createReporter } from "./src/cli/reporter.ts";
import { LenientWriter, type TextWriter } from "./src/cli/writers.ts";

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
 * @returns The exit code: 0 done, 1 a migration or the database failed, or all went well and the
 * result couldn't be written, 2 wrong usage, 3 pending migrations or problems, 4 the lease wasn't
 * obtained in time, 5 a permission or a file is missing, 130 interrupted.
 */
export async function main(
  args: readonly string[],
  io: Partial<CommandIo> = {},
): Promise<number> {
  const { stdout, stderr: told, listen }: CommandIo = {
    ...terminalIo(),
    ...io,
  };
  const stderr = new LenientWriter(told);
  const full: CommandIo = { stdout, stderr, listen };
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
  const result = isJson
    ? jsonDocument({ name, code, outcome, failure })
    : text === ""
    ? ""
    : `${text}\n`;
  // Where both go to the same place, progress stands above the result.
  await stderr.end();
  const unwritten = await give(stdout, result);
  const isToTell = !isJson || unwritten !== undefined;
  if (failure && isToTell) stderr.write(`${failure.message}\n`);
  if (unwritten !== undefined) stderr.write(`${unwritten}\n`);
  await stderr.end();
  return unwritten !== undefined && code === 0 ? 1 : code;
}

/** Gives a result away, and says why where that can't be done. */
async function give(
  stdout: TextWriter,
  result: string,
): Promise<string | undefined> {
  if (result === "") return undefined;
  try {
    await stdout.write(result);
    return undefined;
  } catch (error) {
    return describeUnwritten(error);
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
