import { assertEquals } from "@std/assert";
import { planData } from "../../src/cli/json_output.ts";
import {
  countPending,
  renderPlan,
  renderStatus,
} from "../../src/cli/render.ts";
import { styleFor } from "../../src/cli/style.ts";
import { parseMigration } from "../../src/migration/file.ts";
import { planMigrate } from "../../src/migration/plan.ts";
import type { MigrationStatus } from "../../src/migration/status.ts";

const STATUS: readonly MigrationStatus[] = [
  {
    version: "1",
    description: "create users",
    state: "applied",
    applied: true,
    applied_at: new Date("2026-01-02T03:04:05.678Z"),
    path: "migrations/1_create_users.sql",
  },
  {
    version: "20",
    description: "用户表",
    state: "half-applied",
    applied: false,
    applied_at: null,
    path: "migrations/20_用户表.sql",
    done: 2,
    error: "relation \x1b[2Jexists",
  },
  {
    version: "300",
    description: "add age",
    state: "pending",
    applied: false,
    applied_at: null,
    path: "migrations/300_add_age.sql",
  },
];

Deno.test("renderStatus() aligns its columns and counts what is pending", () => {
  assertEquals(
    renderStatus(STATUS),
    `VERSION  STATE                 APPLIED AT            DESCRIPTION
1        applied               2026-01-02T03:04:05Z  create users
20       half-applied, 2 done  -                     用户表
300      pending               -                     add age
20: relation [2Jexists
1 applied, 2 pending`,
  );
  assertEquals(countPending(STATUS), 2);
});

Deno.test("renderStatus() says which file can't be read, and which statement waits for an answer", () => {
  const common = { applied: false, applied_at: null } as const;
  const migrations: readonly MigrationStatus[] = [
    {
      ...common,
      version: "",
      description: "users.sql",
      state: "unreadable",
      path: "users.sql",
      error: "Cannot read it",
    },
    {
      ...common,
      version: "4",
      description: "",
      state: "half-applied",
      path: null,
      done: 2,
      unsettled: 3,
      error: "no",
    },
    {
      ...common,
      version: "5",
      description: "b",
      state: "half-undone",
      applied: true,
      path: "5_b.sql",
      done: 0,
      unsettled: 1,
    },
    {
      ...common,
      version: "6",
      description: "c",
      state: "half-applied",
      path: "6_c.sql",
      done: 1,
      upTo: "1000",
    },
  ];
  assertEquals(
    renderStatus(migrations),
    `VERSION  STATE                 APPLIED AT  DESCRIPTION
         unreadable            -           users.sql
4        half-applied, 2 done  -
5        half-undone, 0 done   -           b
6        half-applied, 1 done  -           c
users.sql: Cannot read it
4: no
4: whether statement 3 took effect isn't known; run migrate, it finds out
5: whether statement 1 took effect isn't known; run rollback, it finds out
6: statement 2 goes on behind key 1000
1 applied, 4 pending`,
  );
});

Deno.test("renderStatus() says so where there is nothing", () => {
  assertEquals(renderStatus([]), "There are no migrations");
});

Deno.test("renderStatus() colours whole rows, so that they stay aligned", () => {
  const lines = renderStatus(STATUS.slice(2), styleFor(true)).split("\n");
  assertEquals(
    lines[1],
    "\x1b[33m300      pending  -           add age\x1b[0m",
  );
});

const STATE = { applied: [], progress: undefined, complete: true };

const FILE = parseMigration({
  name: "7_add_users.sql",
  path: "migrations/7_add_users.sql",
  text: `-- @TIMEOUT 10m
CREATE TABLE users (
  id INT PRIMARY KEY
);
INSERT INTO users VALUES (1);
-- @BACKFILL table=users key=id batch=500
UPDATE users SET id = id WHERE id BETWEEN $from AND $to;
`,
});

Deno.test("renderPlan() shows each statement with its kind and place", () => {
  assertEquals(
    renderPlan(planMigrate([FILE], STATE)),
    `Apply 7 add users
  1 of 3  ddl  migrations/7_add_users.sql:2  limit 10 min 0 s
    CREATE TABLE users (
      id INT PRIMARY KEY
    )
  2 of 3  data  migrations/7_add_users.sql:5  limit 10 min 0 s
    INSERT INTO users VALUES (1)
  3 of 3  data  migrations/7_add_users.sql:7  limit 10 min 0 s  users by id, 500 at a time
    UPDATE users SET id = id WHERE id BETWEEN $from AND $to`,
  );
});

Deno.test("renderPlan() names the statement that waits for an answer", () => {
  const progress = {
    version: "7",
    direction: "up",
    done: FILE.statements.slice(0, 2).map(({ hash }) => hash),
    intent: { ordinal: 2, at: new Date(0), before: null, facts: null },
    cursor: null,
    error: null,
  } as const;
  const plan = planMigrate([FILE], { ...STATE, progress });
  assertEquals(
    renderPlan(plan).split("\n").slice(0, 3),
    [
      "Apply 7 add users, 2 statements done already",
      "  whether statement 3 took effect isn't known; the run finds out first",
      "  3 of 3  data  migrations/7_add_users.sql:7  limit 10 min 0 s  users by id, 500 at a time",
    ],
  );
  const [migration] = JSON.parse(JSON.stringify(planData(plan).migrations));
  assertEquals([migration.done, migration.unsettled], [2, 3]);
});

Deno.test("renderPlan() says behind which key a backfill goes on", () => {
  const progress = {
    version: "7",
    direction: "up",
    done: FILE.statements.slice(0, 2).map(({ hash }) => hash),
    intent: null,
    cursor: '["users","id","500"]',
    error: null,
  } as const;
  const plan = planMigrate([FILE], { ...STATE, progress });
  assertEquals(
    renderPlan(plan).split("\n").slice(0, 2),
    [
      "Apply 7 add users, 2 statements done already",
      "  statement 3 goes on behind key 500",
    ],
  );
  const [migration] = JSON.parse(JSON.stringify(planData(plan).migrations));
  assertEquals([migration.done, migration.upTo], [2, "500"]);
});

Deno.test("renderPlan() shows the problems where a run would do nothing", () => {
  const plan = planMigrate([FILE], STATE, { targetVersion: "8" });
  assertEquals(
    renderPlan(plan),
    "Cannot migrate to 8: no file has that version; the newest is 7",
  );
  assertEquals(renderPlan(planMigrate([], STATE)), "Nothing to do");
});

Deno.test("planData() leaves the file's text out", () => {
  const { migrations } = planData(planMigrate([FILE], STATE));
  assertEquals(JSON.parse(JSON.stringify(migrations))[0].statements[1], {
    number: 2,
    kind: "data",
    verb: "INSERT",
    line: 5,
    column: 1,
    text: "INSERT INTO users VALUES (1)",
    timeoutMs: 600_000,
  });
});
