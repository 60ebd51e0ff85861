import { assertEquals } from "@std/assert";
import type { Job } from "../../src/migration/jobs.ts";
import { classify } from "../../src/migration/statement.ts";
import { jobsAbout, openJobs } from "../../src/migration/stop.ts";

function job(id: string, description: string, status = "running"): Job {
  return {
    id,
    type: "SCHEMA CHANGE",
    description,
    status,
    runningStatus: "",
    fraction: 0,
    error: "",
    created: new Date(0),
  };
}

const JOBS = [
  job("1", "ALTER TABLE shop.public.users ADD COLUMN c INT8"),
  job("2", "CREATE INDEX theirs ON shop.public.users_archive (a)"),
  job("3", 'CREATE INDEX ON shop.public."users old" (a)'),
  job("4", 'ALTER TABLE shop.public."Users" ADD COLUMN c INT8'),
  job("5", "ALTER TABLE other.public.users ADD COLUMN c INT8"),
  job("6", "ALTER TABLE shop.public.users ADD COLUMN d INT8", "succeeded"),
  job("7", ""),
];

const ids = (jobs: readonly Job[]) => jobs.map(({ id }) => id).join();

function about(statement: string): string {
  const { effects = [] } = classify(statement);
  return ids(jobsAbout(openJobs(JOBS, "shop"), effects));
}

Deno.test("openJobs() leaves out what is over, and other databases' jobs", () => {
  assertEquals(ids(openJobs(JOBS, "shop")), "1,2,3,4,7");
  assertEquals(ids(openJobs(JOBS)), "1,2,3,4,5,7");
});

Deno.test("jobsAbout() takes whole names, so that no other table's job is cancelled", () => {
  assertEquals(about("ALTER TABLE users ADD COLUMN c INT"), "1");
  assertEquals(about('ALTER TABLE "Users" ADD COLUMN c INT'), "4");
  assertEquals(about('ALTER TABLE "users old" ADD COLUMN c INT'), "3");
  assertEquals(about("ALTER TABLE t ADD COLUMN c INT"), "");
  assertEquals(about("CREATE INDEX theirs ON users_archive (a)"), "2");
});

Deno.test("jobsAbout() takes none where it isn't known what a statement is about", () => {
  assertEquals(ids(jobsAbout(JOBS, [])), "");
});
