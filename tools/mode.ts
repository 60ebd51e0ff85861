/**
 * The two ways to bring the packages: from JSR, as users have them, or from npm alone, where no
 * JSR registry is reached. In npm mode an import map puts `npm:pg` where deno-postgres would be,
 * and the JavaScript of `npm:deno-std` where `@std` would be; the code and the tests are the same.
 *
 * @module
 */

/** A way to bring the packages. */
export interface Mode {
  /** `CRDB_MODE` forces one. */
  readonly name: "jsr" | "npm";
  /** What to tell the person at the terminal. */
  readonly description: string;
  /** Flags for every `deno` command that runs this project's code. */
  readonly flags: readonly string[];
}

const IMPORT_MAP = new URL("npm_imports.json", import.meta.url).pathname;

const JSR: Mode = {
  name: "jsr",
  description: "JSR mode: deno-postgres and @std from JSR",
  flags: [],
};

const NPM: Mode = {
  name: "npm",
  description:
    "npm mode: JSR isn't reached, so npm:pg and npm:deno-std stand in",
  flags: [`--import-map=${IMPORT_MAP}`, "--no-check"],
};

/**
 * Finds out whether the packages can come from JSR.
 *
 * @param timeoutMs How long to wait for the registry, in milliseconds.
 */
export async function detectMode(timeoutMs = 5_000): Promise<Mode> {
  const forced = Deno.env.get("CRDB_MODE");
  if (forced === "jsr") return JSR;
  if (forced === "npm") return NPM;
  if (forced) {
    throw new Error(
      `Cannot run in the mode "${forced}": CRDB_MODE is "jsr" or "npm"`,
    );
  }
  const registry = Deno.env.get("JSR_URL") ?? "https://jsr.io/";
  try {
    const response = await fetch(new URL("@db/postgres/meta.json", registry), {
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    return response.ok ? JSR : NPM;
  } catch {
    return NPM;
  }
}
