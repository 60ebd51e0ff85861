/**
 * What the rungs of the ladder have in common: what a server is for those who stand on it, how its
 * program is found, and how to wait until it is ready.
 *
 * @module
 */

/** A server to run tests or the demo on. */
export interface LadderServer {
  /** The rung: where the server came from. */
  readonly rung: Rung;
  /** What to tell the person at the terminal. */
  readonly description: string;
  /** Its address; the user may create databases there. */
  readonly url: string;
  /** Stops what was started, and removes its files. */
  stop(): Promise<void>;
  /** Shuts the server down as its operator would, and starts it again, where it keeps its files. */
  restart?(): Promise<void>;
}

/** The rungs, best first. */
export type Rung = "DATABASE_URL" | "cockroach" | "postgresql" | "pglite";

/** The folders of `PATH`. */
export function pathFolders(): string[] {
  return (Deno.env.get("PATH") ?? "").split(":").filter((folder) =>
    folder !== ""
  );
}

/** Gives the first of some files that is there. */
export async function firstFile(paths: string[]): Promise<string | undefined> {
  for (const path of paths) {
    const found = await Deno.stat(path).then(
      (info) => info.isFile,
      () => false,
    );
    if (found) return path;
  }
}

/** Asks every 50 ms until there is an answer, or the process that would give it has ended. */
export async function until<T>(
  ask: () => Promise<T | undefined>,
  ended: Promise<unknown>,
): Promise<T | undefined> {
  let over = false;
  ended.then(() => over = true);
  const deadline = Date.now() + 60_000;
  while (!over && Date.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
