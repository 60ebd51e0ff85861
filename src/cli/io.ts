/**
 * What a command has to do with the world beside the database: two writers and the signals. A test
 * or a program gives its own.
 *
 * @module
 */

import { streamWriter, type TextWriter } from "./writers.ts";

/** Where a command's output goes, and where its signals come from. */
export interface CommandIo {
  /** Takes results. */
  readonly stdout: TextWriter;
  /** Takes progress, notices and errors. */
  readonly stderr: TextWriter;
  /** Listens for signals; what it returns ends that. */
  listen(listener: (signal: "SIGINT" | "SIGTERM") => void): () => void;
}

/** This process's own output and signals. */
export function terminalIo(): CommandIo {
  return {
    stdout: streamWriter(Deno.stdout),
    stderr: streamWriter(Deno.stderr),
    listen: listenToProcess,
  };
}

function listenToProcess(
  listener: (signal: "SIGINT" | "SIGTERM") => void,
): () => void {
  // Windows knows no SIGTERM: https://docs.deno.com/api/deno/~/Deno.addSignalListener
  const signals = Deno.build.os === "windows"
    ? ["SIGINT" as const]
    : ["SIGINT" as const, "SIGTERM" as const];
  const handlers = signals.map((signal) => {
    const handler = () => listener(signal);
    Deno.addSignalListener(signal, handler);
    return { signal, handler };
  });
  return () => {
    for (const { signal, handler } of handlers) {
      Deno.removeSignalListener(signal, handler);
    }
  };
}
