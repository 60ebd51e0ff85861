/**
 * A PostgreSQL on a free port, in a folder of its own, where the machine has the binaries.
 *
 * @module
 */

import { statfs } from "node:fs/promises";
import { firstFile, type LadderServer, pathFolders, until } from "./rung.ts";

const MEMORY = "/dev/shm";
const MEMORY_ROOM = 2 ** 30;

/** Starts PostgreSQL, where it is there. */
export async function startPostgresql(): Promise<LadderServer | undefined> {
  const initdb = await firstFile([
    ...pathFolders(),
    ...(await versionFolders("/usr/lib/postgresql")),
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql/bin",
  ].map((folder) => `${folder}/initdb`));
  if (!initdb) return undefined;
  const bin = initdb.slice(0, initdb.lastIndexOf("/"));
  const owner = await unprivileged();
  const folder = await Deno.makeTempDir({
    prefix: "crdb_postgresql_",
    dir: await memoryFolder(),
  });
  if (owner) await Deno.chown(folder, owner.uid, owner.gid);
  const made = await new Deno.Command(initdb, {
    args: [
      "-A",
      "trust",
      "-U",
      "postgres",
      "-E",
      "UTF8",
      "--no-sync",
      "-D",
      `${folder}/data`,
    ],
    cwd: folder,
    stdin: "null",
    ...owner,
  }).output();
  if (!made.success) {
    await Deno.remove(folder, { recursive: true });
    throw new Error(
      `Cannot run ${initdb}: ${new TextDecoder().decode(made.stderr).trim()}`,
    );
  }
  const port = freePort();
  const start = () =>
    new Deno.Command(`${bin}/postgres`, {
      args: [
        ...["-D", `${folder}/data`, "-k", folder, "-p", String(port)],
        ...["-c", "listen_addresses=127.0.0.1"],
        ...["-c", "fsync=off"],
        ...["-c", "max_connections=300"],
      ],
      cwd: folder,
      detached: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
      ...owner,
    }).spawn();
  let process = start();
  let ready = await until(() => accepts(port), process.status);
  const stop = async () => {
    // SIGQUIT is PostgreSQL's immediate shutdown: it ends its children, which SIGKILL would leave.
    if (ready) process.kill("SIGQUIT");
    await process.status;
    await Deno.remove(folder, { recursive: true });
  };
  const restart = async () => {
    process.kill("SIGINT");
    await process.status;
    process = start();
    ready = await until(() => accepts(port), process.status);
  };
  if (!ready) {
    await stop();
    throw new Error(
      `Cannot start ${bin}/postgres: it ended before it was ready`,
    );
  }
  return {
    rung: "postgresql",
    description: `PostgreSQL, started from ${bin}`,
    url: `postgresql://postgres@127.0.0.1:${port}/postgres?sslmode=disable`,
    stop,
    restart,
  };
}

/** Where files are kept in memory, if there is room: making a database takes a third of the time. */
async function memoryFolder(): Promise<string | undefined> {
  const { bavail, bsize } = await statfs(MEMORY).catch(() => ({
    bavail: 0,
    bsize: 0,
  }));
  return bavail * bsize >= MEMORY_ROOM ? MEMORY : undefined;
}

async function versionFolders(parent: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(parent), (entry) => entry.name))
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => `${parent}/${version}/bin`);
  } catch {
    return [];
  }
}

/** PostgreSQL refuses to run as root: the account to run it under, where we are root. */
async function unprivileged(): Promise<
  { uid: number; gid: number } | undefined
> {
  if (Deno.uid() !== 0) return undefined;
  const accounts = (await Deno.readTextFile("/etc/passwd")).split("\n").map((
    line,
  ) => line.split(":"));
  const account = accounts.find(([name]) => name === "postgres") ??
    accounts.find(([name]) => name === "nobody");
  return {
    uid: Number(account?.[2] ?? 65534),
    gid: Number(account?.[3] ?? 65534),
  };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** A server that is still starting answers a log-in with an error, one that is ready with `R`. */
async function accepts(port: number): Promise<true | undefined> {
  const login = new TextEncoder().encode(
    "\0\0\0\x17\0\x03\0\0user\0postgres\0\0",
  );
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(login);
    const answer = new Uint8Array(1);
    await connection.read(answer);
    return answer[0] === "R".charCodeAt(0) ? true : undefined;
  } catch {
    return undefined;
  }
}
