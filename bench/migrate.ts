/**
 * Migrations against dbmate: 1,000 of one table each on an empty database, and nothing to do.
 *
 * @module
 */

import { Database, Migration } from "../mod.ts";
import type { BenchServer } from "./bench_server.ts";
import { type Dbmate, runDbmate } from "./dbmate.ts";
import { writeMigrations } from "./load.ts";
import { type Candidate, measure } from "./measure.ts";
import type { Comparison } from "./report.ts";

const MIGRATIONS = 1_000;

/** What the comparison needs beside a server. */
export interface MigrateOptions {
  /** dbmate's binary. */
  readonly dbmate: Dbmate;
  /** npm's command for it, by Node and by npx; absent without Node. */
  readonly npmDbmate?: { readonly node: Dbmate; readonly npx: Dbmate };
  /** The flags for `deno` that bring the packages. */
  readonly flags: readonly string[];
}

const LIBRARY = "crdb, in the process";
const COMMAND = "crdb, the command";
const DBMATE = "dbmate, its binary";
const NODE_DBMATE = "dbmate, npm's command";
const NPX_DBMATE = "dbmate, by npx";

/** Compares the two, applying and with nothing to do. */
export async function compareMigrate(
  server: BenchServer,
  options: MigrateOptions,
): Promise<Comparison[]> {
  const folder = await writeMigrations(MIGRATIONS);
  const tools = toolsOf(folder, options);
  const urls = await Promise.all(tools.map(() => server.makeDatabase()));
  const applying: Candidate[] = tools.map(({ name, run }, index) => ({
    name,
    run: () => run(urls[index]),
    async reset() {
      const used = urls[index];
      urls[index] = await server.makeDatabase();
      await server.dropDatabase(used);
    },
  }));
  const applied = await measure(applying, 11);
  for (const [index, { run }] of tools.entries()) await run(urls[index]);
  const idle = tools.map(({ name, run }, index) => ({
    name,
    run: () => run(urls[index]),
  }));
  const nothing = await measure(idle, 41);
  for (const url of urls) await server.dropDatabase(url);
  await Deno.remove(folder, { recursive: true });
  const goals = [
    { of: LIBRARY, against: [DBMATE], limit: 1 },
    // Each as its README has it: `deno run … migrate`, `npx dbmate …`.
    { of: COMMAND, against: [NPX_DBMATE], limit: 1 },
  ];
  const count = MIGRATIONS.toLocaleString("en");
  return [
    {
      title: `${count} migrations of one table`,
      measurements: applied,
      goals,
    },
    {
      title: `Nothing to do, after ${count} migrations`,
      measurements: nothing,
      goals,
    },
  ];
}

function toolsOf(
  folder: string,
  { dbmate, npmDbmate, flags }: MigrateOptions,
): { name: string; run(url: string): Promise<void> }[] {
  return [
    {
      name: LIBRARY,
      async run(url) {
        await using db = new Database({ url });
        await new Migration(db, { migrationsDir: folder }).migrate();
      },
    },
    {
      name: COMMAND,
      async run(url) {
        const cli = new URL("../cli.ts", import.meta.url).pathname;
        const { success, stderr } = await new Deno.Command(Deno.execPath(), {
          args: [
            ...["run", "-A", ...flags, cli],
            ...["migrate", "--quiet", "--url", url, "--dir", folder],
          ],
          stdout: "null",
          stderr: "piped",
        }).output();
        if (!success) throw new Error(new TextDecoder().decode(stderr));
      },
    },
    { name: DBMATE, run: (url) => runDbmate(dbmate, { url, folder }) },
    ...(npmDbmate === undefined ? [] : [
      [NODE_DBMATE, npmDbmate.node] as const,
      [NPX_DBMATE, npmDbmate.npx] as const,
    ]).map(([name, way]) => ({
      name,
      run: (url: string) => runDbmate(way, { url, folder }),
    })),
  ];
}
