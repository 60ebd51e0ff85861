/**
 * dbmate: its binary, which npm carries in a package a platform; the command that npm installs, which
 * is a program of Node's that starts the binary; and that by `npx`, as its README has it.
 *
 * @module
 */

/** The version that is compared with. */
export const DBMATE_VERSION = "2.36.0";

const OS: Record<string, string> = { windows: "win32" };
const ARCH: Record<string, string> = { x86_64: "x64", aarch64: "arm64" };

/** Finds dbmate's binary, and fetches its package where that is needed. */
export async function findDbmate(): Promise<string | undefined> {
  const { os, arch } = Deno.build;
  const name = `@dbmate/${OS[os] ?? os}-${ARCH[arch] ?? arch}`;
  const { success } = await run(["cache", `npm:${name}@${DBMATE_VERSION}`]);
  if (!success) return undefined;
  const { npmCache } = JSON.parse((await run(["info", "--json"])).text);
  for await (const registry of Deno.readDir(npmCache)) {
    const path =
      `${npmCache}/${registry.name}/${name}/${DBMATE_VERSION}/bin/dbmate`;
    const info = await Deno.stat(path).catch(() => undefined);
    if (info === undefined) continue;
    // The package manager need not have kept the right to execute it.
    await Deno.chmod(path, 0o755);
    return path;
  }
}

/** A way of running dbmate. */
export interface Dbmate {
  /** The program and its first arguments. */
  readonly command: readonly [string, ...string[]];
  /** The folder that it runs in. Default: this process's. */
  readonly cwd?: string;
}

/**
 * Installs npm's command into a new folder.
 *
 * @returns The command by Node, and by npx; `undefined` where there is no Node.
 */
export async function installDbmate(
  folder: string,
): Promise<{ node: Dbmate; npx: Dbmate } | undefined> {
  try {
    const { success } = await new Deno.Command("npm", {
      args: ["install", "--prefix", folder, `dbmate@${DBMATE_VERSION}`],
      stdout: "null",
      stderr: "null",
    }).output();
    if (!success) return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  return {
    node: { command: ["node", `${folder}/node_modules/dbmate/dist/cli.js`] },
    npx: { command: ["npx", "dbmate"], cwd: folder },
  };
}

/** Runs a dbmate command on a database. */
export async function runDbmate(
  { command: [program, ...first], cwd }: Dbmate,
  options: { url: string; folder: string },
): Promise<void> {
  const { url, folder } = options;
  const { success, stderr } = await new Deno.Command(program, {
    args: [
      ...first,
      ...["--url", url, "--migrations-dir", folder, "--no-dump-schema"],
      "migrate",
    ],
    cwd,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

async function run(
  args: string[],
): Promise<{ success: boolean; text: string }> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args,
    stderr: "null",
  }).output();
  return { success, text: new TextDecoder().decode(stdout) };
}
