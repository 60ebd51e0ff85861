/**
 * dbmate's binary, which npm carries in a package a platform.
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

/** Runs a dbmate command on a database. */
export async function runDbmate(
  path: string,
  options: { url: string; folder: string },
): Promise<void> {
  const { url, folder } = options;
  const { success, stderr } = await new Deno.Command(path, {
    args: [
      ...["--url", url, "--migrations-dir", folder, "--no-dump-schema"],
      "migrate",
    ],
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
