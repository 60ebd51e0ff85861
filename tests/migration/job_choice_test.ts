import { assertEquals } from "@std/assert";
import type { Job } from "../../src/migration/jobs.ts";
import { classify } from "../../src/migration/statement.ts";
import { jobsAbout, openJobs } from "../../src/migration/job_choice.ts";

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
  return ids(
    jobsAbout(openJobs(JOBS, { database: "shop", statement }), effects),
  );
}

Deno.test("openJobs() leaves out what is over, and other databases' jobs", () => {
  const statement = "ALTER TABLE users ADD COLUMN c INT";
  const database = "shop";
  assertEquals(ids(openJobs(JOBS, { database, statement })), "1,2,3,4,7");
  assertEquals(ids(openJobs(JOBS, { statement })), "1,2,3,4,5,7");
});

Deno.test("openJobs() keeps a statement's own job, whatever its text looks like", () => {
  const cases: [string, string, string][] = [
    [
      "shop",
      "ALTER TABLE t ALTER COLUMN a TYPE STRING USING a || ' www.example.com'",
      " ALTER COLUMN a SET DATA TYPE STRING USING a || ' www.example.com'; ALTER TABLE shop.public.t ALTER COLUMN a",
    ],
    [
      "shop",
      "CREATE MATERIALIZED VIEW n AS SELECT t.id, 'www.example.com' FROM t",
      "CREATE MATERIALIZED VIEW n AS SELECT t.id, 'www.example.com' FROM t",
    ],
    [
      "shop",
      "CREATE MATERIALIZED VIEW n AS SELECT public.t.id FROM public.t",
      "CREATE MATERIALIZED VIEW n AS SELECT public.t.id FROM public.t",
    ],
    [
      "shop",
      'CREATE INDEX "idx.t.a" ON t (a)',
      'CREATE INDEX "idx.t.a" ON shop.public.t (a)',
    ],
    ["né1", "ALTER TABLE t ADD c INT", "ALTER TABLE né1.public.t ADD c INT8"],
    [
      "shop",
      "CREATE INDEX i ON other.public.t (a)",
      "CREATE INDEX i ON other.public.t (a)",
    ],
    [
      "shop",
      "CREATE INDEX i ON Other.t (a)",
      "CREATE INDEX i ON other.public.t (a)",
    ],
    ["shop", "DROP TABLE t", "DROP TABLE other.public.t, 'cut o"],
  ];
  for (const [database, statement, description] of cases) {
    const jobs = [job("1", description)];
    assertEquals(ids(openJobs(jobs, { database, statement })), "1", statement);
  }
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
