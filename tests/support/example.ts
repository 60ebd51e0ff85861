/**
 * Runs an example as its reader would: as a program of its own, in an empty folder, with the address
 * of a database in `DATABASE_URL`.
 *
 * @module
 */

import type { DatabaseOptions } from "../../mod.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** What a program left. */
export interface ExampleResult {
  /** Its exit code. */
  readonly code: number;
  /** What it printed, both streams together where it failed. */
  readonly output: string;
}

/** The flags that bring the packages in the mode that the tests run in. */
export function modeFlags(): string[] {
  return Deno.env.get("CRDB_MODE") === "npm"
    ? [`--import-map=${ROOT}tools/npm_imports.json`, "--no-check"]
    : [];
}

/** The address of a test's database. */
export function addressOf({ url, database }: DatabaseOptions): string {
  const address = new URL(url!);
  address.pathname = `/${database}`;
  return address.href;
}

/** Runs the text of an example. */
export async function runExample(
  text: string,
  options: DatabaseOptions,
): Promise<ExampleResult> {
  const folder = await Deno.makeTempDir();
  try {
    // The program lies inside the project, for `@x/crdb` is resolved by the project's own deno.json.
    const program = await Deno.makeTempFile({
      dir: ROOT,
      prefix: ".example_",
      suffix: ".ts",
    });
    try {
      await Deno.writeTextFile(program, text);
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "-A",
          `--config=${ROOT}deno.json`,
          ...modeFlags(),
          program,
        ],
        cwd: folder,
        env: { DATABASE_URL: addressOf(options) },
      }).output();
      const decoder = new TextDecoder();
      const output = decoder.decode(stdout) +
        (code === 0 ? "" : decoder.decode(stderr));
      return { code, output };
    } finally {
      await Deno.remove(program);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
