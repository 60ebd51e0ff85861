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
// In kilobytes: https://man7.org/linux/man-pages/man2/getrusage.2.html
const peakMiB = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ ms, cpuMs: (user + system) / 1_000, peakMiB }));
