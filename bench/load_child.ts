/**
 * The process that `load.ts` measures: it loads and plans the migrations of a folder, against an
 * empty journal, and prints what that took as JSON.
 *
 * @module
 */

import process from "node:process";
import { parseMigrations } from "../src/migration/file.ts";
import { planMigrate } from "../src/migration/plan.ts";
import { directory } from "../src/migration/source.ts";

const [folder] = Deno.args;
const start = performance.now();
const before = process.cpuUsage();
const files = parseMigrations(await directory(folder).load());
const plan = planMigrate(files, {
  applied: [],
  progress: undefined,
  complete: true,
});
const ms = performance.now() - start;
const { user, system } = process.cpuUsage(before);
if (plan.migrations.length !== files.length || plan.problems.length > 0) {
  throw new Error("The plan is not whole");
}
const peakMiB = await peakMemory() / 1024;
console.log(JSON.stringify({ ms, cpuMs: (user + system) / 1_000, peakMiB }));

/** The process's greatest memory in KiB; where only getrusage(2) tells, its parent's counts too. */
async function peakMemory(): Promise<number> {
  const status = await Deno.readTextFile("/proc/self/status").catch(() => "");
  const peak = /^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1];
  return peak === undefined ? process.resourceUsage().maxRSS : Number(peak);
}
