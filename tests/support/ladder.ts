/**
 * The ladder: a database to stand on, whatever the machine has. `DATABASE_URL` comes first, then a
 * `cockroach` binary, then PostgreSQL's own binaries, then PGlite, which npm brings.
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

const RUNGS: Record<Rung, () => Promise<LadderServer | undefined>> = {
  DATABASE_URL: given,
  cockroach,
  postgresql,
  pglite,
};

/**
 * Climbs the ladder to the first rung that holds.
 *
 * @param rungs The rungs to try, in order.
 */
export async function climb(
  rungs: readonly Rung[] = [
    "DATABASE_URL",
    "cockroach",
    "postgresql",
    "pglite",
  ],
): Promise<LadderServer> {
  for (const rung of rungs) {
    const server = await RUNGS[rung]();
    if (server) return server;
  }
  throw new Error(
    `Cannot find a database: none of ${
      rungs.join(", ")
    } is there; set DATABASE_URL`,
  );
}

function given(): Promise<LadderServer | undefined> {
  const url = Deno.env.get("DATABASE_URL");
  return Promise.resolve(
    url
      ? {
        rung: "DATABASE_URL",
        description: "the server of DATABASE_URL",
        url,
        stop: () => Promise.resolve(),
      }
      : undefined,
  );
}

function cockroach(): Promise<LadderServer | undefined> {
  return startCockroach("type=mem,size=1GiB");
}

/**
 * Starts a `cockroach` binary, where there is one.
 *
 * @param store What its `--store` is; with `"path=store"` it can be restarted.
 */
export async function startCockroach(
  store: string,
): Promise<LadderServer | undefined> {
  const binary = await firstFile([
    ...pathFolders().map((folder) => `${folder}/cockroach`),
    `${Deno.env.get("HOME") ?? ""}/.cache/crdb/cockroach`,
  ]);
  if (!binary) return undefined;
  const folder = await Deno.makeTempDir({ prefix: "crdb_cockroach_" });
  const urlFile = `${folder}/url`;
  const start = (address: string) =>
    new Deno.Command(binary, {
      args: [
        "start-single-node",
        "--insecure",
        `--store=${store}`,
        `--listen-addr=${address}`,
        "--http-addr=127.0.0.1:0",
        `--listening-url-file=${urlFile}`,
      ],
      cwd: folder,
      // Out of the terminal's group, or Ctrl-C would end the server under those who still use it.
      detached: true,
      env: { COCKROACH_SKIP_ENABLING_DIAGNOSTIC_REPORTING: "true" },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  let process = start("127.0.0.1:0");
  const remove = async () => {
    await Deno.remove(folder, { recursive: true });
  };
  const ready = () =>
    until(async () => {
      const text = await Deno.readTextFile(urlFile).catch(() => "");
      return text.includes("\n") ? text.trim() : undefined;
    }, process.status);
  const written = await ready();
  if (!written) {
    await remove();
    throw new Error(
      `Cannot start ${binary}: it ended before it was ready; run it by hand to see why`,
    );
  }
  const { port } = new URL(written);
  return {
    rung: "cockroach",
    description: `CockroachDB, started from ${binary}`,
    url: `postgresql://root@127.0.0.1:${port}/defaultdb?sslmode=disable`,
    async stop() {
      process.kill("SIGKILL");
      await process.status;
      await remove();
    },
    async restart() {
      process.kill("SIGTERM");
      await process.status;
      await Deno.remove(urlFile);
      process = start(`127.0.0.1:${port}`);
      await ready();
    },
  };
}

async function postgresql(): Promise<LadderServer | undefined> {
  const initdb = await firstFile([
    ...pathFolders(),
    ...(await versionFolders("/usr/lib/postgresql")),
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql/bin",
  ].map((folder) => `${folder}/initdb`));
  if (!initdb) return undefined;
  const bin = initdb.slice(0, initdb.lastIndexOf("/"));
  const owner = await unprivileged();
  const folder = await Deno.makeTempDir({ prefix: "crdb_postgresql_" });
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
        ...[
          "-c",
          "listen_addresses=127.0.0.1",
          "-c",
          "fsync=off",
          "-c",
          "max_connections=300",
        ],
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

async function pglite(): Promise<LadderServer> {
  const { startPglite } = await import("./pglite.ts");
  const { port, stop } = await startPglite();
  return {
    rung: "pglite",
    description: "PGlite, embedded",
    url: `postgresql://postgres@127.0.0.1:${port}/postgres?sslmode=disable`,
    stop,
  };
}

function pathFolders(): string[] {
  return (Deno.env.get("PATH") ?? "").split(":").filter((folder) =>
    folder !== ""
  );
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

async function firstFile(paths: string[]): Promise<string | undefined> {
  for (const path of paths) {
    const found = await Deno.stat(path).then(
      (info) => info.isFile,
      () => false,
    );
    if (found) return path;
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

/** Asks every 50 ms until there is an answer, or the process that would give it has ended. */
async function until<T>(
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
