/**
 * The benchmarks: `deno task bench` measures this project beside its alternatives, in one process
 * and one run, prints the tables, and writes them to `bench/RESULTS.md`.
 *
 * It runs on the servers whose addresses it is given, or else on a PostgreSQL and a CockroachDB
 * that it finds on the machine. `--only=select,insert` measures some of it, and writes nothing.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { compareBatchInsert } from "./batch_insert.ts";
import { type BenchServer, findServers } from "./bench_server.ts";
import { bare } from "./clients/bare.ts";
import type { Library } from "./clients/client.ts";
import { crdb } from "./clients/crdb.ts";
import { drizzle } from "./clients/drizzle.ts";
import { kysely } from "./clients/kysely.ts";
import { pgClient, pgPool } from "./clients/pg.ts";
import { postgresJs } from "./clients/postgres_js.ts";
import { compareConcurrency } from "./concurrency.ts";
import { compareConnect, compareFirstUse } from "./connect.ts";
import { DBMATE_VERSION, findDbmate, installDbmate } from "./dbmate.ts";
import { compareInsert } from "./insert.ts";
import { measureLoad } from "./load.ts";
import { compareMigrate } from "./migrate.ts";
import { tableOf } from "./report.ts";
import { compareRows } from "./rows.ts";
import { compareSelect } from "./select.ts";

const RESULTS = new URL("RESULTS.md", import.meta.url);

const COMPARISONS = {
  select: compareSelect,
  insert: compareInsert,
  rows: compareRows,
  concurrency: compareConcurrency,
  connect: compareConnect,
  first: compareFirstUse,
  batch: compareBatchInsert,
};

const args = parseArgs(Deno.args, { string: ["only"] });
const only = args.only?.split(",");
const isWanted = (name: string) => only === undefined || only.includes(name);
const isNpmMode = !await isJsrReached();
const flags = isNpmMode
  ? [
    `--import-map=${
      new URL("../tools/npm_imports.json", import.meta.url).pathname
    }`,
    "--no-check",
  ]
  : [`--config=${new URL("../deno.json", import.meta.url).pathname}`];
const parts: string[] = [];

say(preamble());
const servers = await findServers(args._.map(String));
try {
  for (const server of servers) await measureServer(server);
} finally {
  for (const server of servers) await server.stop();
}
if (isWanted("load")) {
  say("## Files\n");
  say(await measureLoad(flags));
}
if (only === undefined) await Deno.writeTextFile(RESULTS, parts.join("\n"));

async function measureServer(server: BenchServer): Promise<void> {
  say(`## ${server.description}\n`);
  const libraries: Library[] = [
    crdb(isNpmMode ? "crdb, on pg" : "crdb, on deno-postgres"),
    ...[pgClient, pgPool, postgresJs, kysely, drizzle],
    ...(isNpmMode ? [] : [bare]),
  ];
  for (const [name, compare] of Object.entries(COMPARISONS)) {
    if (isWanted(name)) say(tableOf(await compare(server, libraries)));
  }
  if (server.kind !== "postgresql" || !isWanted("migrate")) return;
  const dbmate = await findDbmate();
  if (dbmate === undefined) {
    return say("dbmate has no binary for this machine, and isn't compared.\n");
  }
  const folder = await Deno.makeTempDir({ prefix: "crdb_bench_" });
  const npmDbmate = await installDbmate(folder);
  const tools = { dbmate: { command: [dbmate] as const }, npmDbmate, flags };
  for (const comparison of await compareMigrate(server, tools)) {
    say(tableOf(comparison));
  }
  await Deno.remove(folder, { recursive: true });
}

function preamble(): string {
  const { deno, v8 } = Deno.version;
  const { os, arch } = Deno.build;
  const cpus = navigator.hardwareConcurrency;
  const memory = Math.round(Deno.systemMemoryInfo().total / 2 ** 30);
  const load = Deno.loadavg().map((load) => load.toFixed(1)).join(", ");
  const versions = {
    ...{ pg: "8.23.1", postgres: "3.4.9", kysely: "0.29.9" },
    ...{ "drizzle-orm": "0.45.4", dbmate: DBMATE_VERSION },
    ...(isNpmMode ? {} : { "deno-postgres": denoPostgresVersion() }),
  };
  return [
    "# Results",
    "",
    "Made by `deno task bench`, on " + new Date().toISOString().slice(0, 10) +
    ". All of it is one run; in each round every candidate is measured once, in turn.",
    "The times are medians of the rounds; the ratios, to the first line of a table, are medians of the rounds' ratios.",
    "In brackets: where a ratio lies with a probability of 95 %. A goal within that range, and below the ratio, is undecided.",
    "",
    `- Machine: ${os} ${arch}, ${cpus} processors, ${memory} GiB of memory; load averages before the run: ${load}`,
    `- Deno ${deno}, V8 ${v8}`,
    `- ${
      Object.entries(versions).map((pair) => pair.join(" "))
        .join(", ")
    }`,
    ...(isNpmMode
      ? ["- In npm mode: `Database` runs on pg, and deno-postgres is left out"]
      : []),
    "",
  ].join("\n");
}

function denoPostgresVersion(): string {
  const url = import.meta.resolve("@db/postgres");
  return /@db\/postgres[@/]\^?([\d.]+)/.exec(url)?.[1] ?? "of another version";
}

async function isJsrReached(): Promise<boolean> {
  return await import("@db/postgres").then(() => true, () => false);
}

function say(text: string): void {
  console.log(text);
  parts.push(text);
}
