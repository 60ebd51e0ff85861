/**
 * A CockroachDB of one node on a free port, where the machine has the binary.
 *
 * @module
 */

import { firstFile, type LadderServer, pathFolders, until } from "./rung.ts";

/**
 * What keeps a server of hundreds of short-lived databases fast: else what was dropped stays for a day,
 * and slows down every look at the catalog.
 *
 * Source: {@link https://www.cockroachlabs.com/docs/stable/local-testing}
 */
const SETTINGS = [
  "ALTER RANGE default CONFIGURE ZONE USING gc.ttlseconds = 60",
  "SET CLUSTER SETTING sql.stats.automatic_collection.enabled = false",
  // A schema change that was cancelled is undone by a job that else waits for half a minute first.
  "SET CLUSTER SETTING jobs.registry.interval.cancel = '1s'",
  "SET CLUSTER SETTING jobs.registry.interval.adopt = '1s'",
];

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
  await new Deno.Command(binary, {
    args: [
      ...["sql", "--insecure", "--host=127.0.0.1", `--port=${port}`],
      ...SETTINGS.flatMap((statement) => ["-e", statement]),
    ],
    cwd: folder,
    stdin: "null",
  }).output();
  return {
    rung: "cockroach",
    description: `CockroachDB, started from ${binary}`,
    url: `postgresql://root@127.0.0.1:${port}/defaultdb?sslmode=disable`,
    async stop() {
      try {
        process.kill("SIGKILL");
      } catch (error) {
        // Where it ended by itself, the tests have told of it.
        if (!(error instanceof TypeError)) throw error;
      }
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
