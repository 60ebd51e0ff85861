/**
 * Loads and plans 10,000 migration files, in a process of its own: `load_child.ts`.
 *
 * @module
 */

import { median } from "./measure.ts";

/** What one run of the child says. */
interface Load {
  /** From the first read to the finished plan, in milliseconds. */
  readonly ms: number;
  /** The processor's time for it, in milliseconds. */
  readonly cpuMs: number;
  /** The greatest memory of the whole process, in MiB. */
  readonly peakMiB: number;
}

const FILES = 10_000;
const RUNS = 11;
const LIMIT_MS = 300;
const LIMIT_MIB = 100;

/** Measures the loading and says how it went. */
export async function measureLoad(flags: readonly string[]): Promise<string> {
  const folder = await writeMigrations(FILES);
  const runs: Load[] = [];
  for (let run = 0; run < RUNS; run++) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", ...flags],
        new URL("load_child.ts", import.meta.url).pathname,
        folder,
      ],
      stderr: "inherit",
    }).output();
    runs.push(JSON.parse(new TextDecoder().decode(stdout)));
  }
  await Deno.remove(folder, { recursive: true });
  const ms = median(runs.map((run) => run.ms));
  const peak = median(runs.map((run) => run.peakMiB));
  const cpu = median(runs.map((run) => run.cpuMs));
  const verdict = ms <= LIMIT_MS && peak <= LIMIT_MIB ? "met" : "**not met**";
  return [
    "### Loading and planning 10,000 migration files, in a process of its own",
    "",
    "| median of eleven | time | processor time | peak memory of the process |",
    "| ---------------- | ---: | -------------: | -------------------------: |",
    `| crdb | ${ms.toFixed(0)} ms | ${cpu.toFixed(0)} ms | ${
      peak.toFixed(0)
    } MiB |`,
    "",
    `- Goal ${verdict}: under ${LIMIT_MS} ms and ${LIMIT_MIB} MiB.`,
    "",
  ].join("\n");
}

/** Writes one-table migrations into a new folder, in a form that dbmate reads too, and returns it. */
export async function writeMigrations(count: number): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "crdb_bench_" });
  const start = Date.UTC(2024, 0, 1);
  for (let index = 0; index < count; index++) {
    const version = new Date(start + index * 1_000).toISOString()
      .replace(/\.\d+Z$|\D/g, "");
    await Deno.writeTextFile(
      `${folder}/${version}_create_table_${index}.sql`,
      [
        "-- migrate:up",
        `CREATE TABLE table_${index} (`,
        "  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),",
        "  name TEXT NOT NULL,",
        "  created_at TIMESTAMPTZ NOT NULL DEFAULT now()",
        ");",
        "-- migrate:down",
        "",
      ].join("\n"),
    );
  }
  return folder;
}
