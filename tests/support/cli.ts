/**
 * The command under test: called in this process with writers that keep what is written, or as a
 * process of its own with the flags that a test is about.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { type CommandIo, main } from "../../cli.ts";
import type { FreshDatabase } from "../../src/fresh_database.ts";
import { server } from "./database.ts";
import { withoutDenoPostgres } from "./drivers.ts";

/** What a call came to. */
export interface CallResult {
  /** The exit code. */
  readonly code: number;
  /** What it wrote to standard output. */
  readonly stdout: string;
  /** What it wrote to standard error. */
  readonly stderr: string;
}

/** A signal that the command listens for. */
export type Signal = "SIGINT" | "SIGTERM";

/** Options of {@linkcode call}. */
export interface CallOptions {
  /** Whether the writers claim to be terminals. */
  readonly isTerminal?: boolean;
  /** Is told of each text on standard error, and may send signals. */
  readonly onStderr?: (text: string, send: (signal: Signal) => void) => void;
}

/** Calls the command in this process. */
export async function call(
  args: readonly string[],
  options: CallOptions = {},
): Promise<CallResult> {
  const { isTerminal = false, onStderr } = options;
  let [stdout, stderr] = ["", ""];
  const listeners = new Set<(signal: Signal) => void>();
  const io: CommandIo = {
    stdout: { isTerminal, write: (text) => void (stdout += text) },
    stderr: {
      isTerminal,
      write(text) {
        stderr += text;
        onStderr?.(text, (signal) => listeners.forEach((one) => one(signal)));
      },
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const code = await main(args, io);
  if (listeners.size > 0) throw new Error("main() still listens for signals");
  return { code, stdout, stderr };
}

/** Calls the command with `--json`, and reads the document; a second one or other text would fail. */
export async function callJson(
  args: readonly string[],
  options: CallOptions = {},
): Promise<{ code: number; json: unknown; stderr: string }> {
  const { code, stdout, stderr } = await call([...args, "--json"], options);
  return { code, json: JSON.parse(stdout), stderr };
}

/** A command that runs in a process of its own. */
export interface CommandProcess {
  /** Sends a signal. */
  send(signal: Signal): void;
  /** Waits until standard error has a text. */
  seen(text: string): Promise<void>;
  /** Waits for its end. */
  result(): Promise<CallResult>;
}

/** What a process is given. */
export interface ProcessOptions {
  /** The flags of `deno run`, beside `--no-prompt`. */
  readonly flags: readonly string[];
  /** Variables beside those of this process. */
  readonly env?: Record<string, string>;
  /** The folder that it runs in. */
  readonly cwd?: string;
  /** A redirection, as a shell writes it, such as `2>/dev/full`. */
  readonly redirection?: string;
}

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const NPM_FLAGS = [`--import-map=${ROOT}tools/npm_imports.json`];

/** Starts the command in a process of its own. */
export function start(
  args: readonly string[],
  { flags, env, cwd, redirection }: ProcessOptions,
): CommandProcess {
  const deno = Deno.execPath();
  const shell = ["-c", `exec "$0" "$@" ${redirection}`, deno];
  const child = new Deno.Command(redirection === undefined ? deno : "sh", {
    args: [
      ...(redirection === undefined ? [] : shell),
      "run",
      "--no-check",
      "--no-prompt",
      `--config=${ROOT}deno.json`,
      ...(withoutDenoPostgres === undefined ? [] : NPM_FLAGS),
      ...flags,
      `${ROOT}cli.ts`,
      ...args,
    ],
    env,
    cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let stderr = "";
  const waiting = new Set<() => void>();
  const reading = (async () => {
    for await (
      const text of child.stderr.pipeThrough(new TextDecoderStream())
    ) {
      stderr += text;
      waiting.forEach((wake) => wake());
    }
  })();
  const stdout = new Response(child.stdout).text();
  return {
    send: (signal) => child.kill(signal),
    async seen(text) {
      let isOver = false;
      const over = reading.then(() => void (isOver = true));
      while (!stderr.includes(text)) {
        if (isOver) throw new Error(`"${text}" was never written: ${stderr}`);
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.add(resolve);
        await Promise.race([promise, over]);
        waiting.delete(resolve);
      }
    },
    async result() {
      const [{ code }, out] = await Promise.all([
        child.status,
        stdout,
        reading,
      ]);
      return { code, stdout: out, stderr };
    },
  };
}

/** The address of a test's database. */
export function urlOf({ name }: FreshDatabase): string {
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return url.href;
}

/** Runs `fn` with a folder of files, by name, and removes it. */
export async function withFolder(
  files: Readonly<Record<string, string>>,
  fn: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "crdb_cli_" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    await fn(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
