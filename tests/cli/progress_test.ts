import { assertEquals } from "@std/assert";
import { duration, renderEvent } from "../../src/cli/progress.ts";
import type { MigrationEvent } from "../../src/migration/events.ts";

const PLACE = {
  version: "7",
  direction: "up",
  statement: 2,
  statements: 3,
} as const;
const SINCE = new Date("2026-01-02T03:04:05.678Z");

const CASES: [MigrationEvent, string | undefined][] = [
  [{ type: "lease-acquired", fence: "1" }, undefined],
  [{ type: "lease-released" }, undefined],
  [
    {
      type: "lease-waiting",
      holder: { holder: "root on db1, process 42", since: SINCE },
      waitedMs: 2_345,
    },
    "Waiting for root on db1, process 42, who holds the lease since 2026-01-02T03:04:05Z (2.3 s so far)",
  ],
  [
    {
      type: "migration-started",
      version: "7",
      description: "add users",
      direction: "up",
      resumedAt: 0,
    },
    "Applying 7 add users",
  ],
  [
    {
      type: "migration-started",
      version: "7",
      description: "",
      direction: "down",
      resumedAt: 2,
    },
    "Rolling back 7, from statement 3 on",
  ],
  [
    {
      type: "migration-finished",
      version: "7",
      description: "add users",
      direction: "up",
      durationMs: 61_500,
    },
    "Applied 7 add users in 1 min 1 s",
  ],
  [
    {
      type: "migration-finished",
      version: "7",
      description: "add users",
      direction: "down",
      durationMs: 12.3,
    },
    "Rolled back 7 add users in 12 ms",
  ],
  [
    {
      type: "statement-started",
      text: "CREATE TABLE users (\n  id INT\n)",
      ...PLACE,
    },
    "  statement 2 of 3: CREATE TABLE users ( id INT )",
  ],
  [
    {
      type: "statement-started",
      text: `SELECT 'postgresql://u:${"s3cret".repeat(20)}@h/d'`,
      ...PLACE,
    },
    "  statement 2 of 3: SELECT 'postgresql://u:***@h/d'",
  ],
  [{ type: "statement-finished", durationMs: 999, ...PLACE }, undefined],
  [
    { type: "statement-finished", durationMs: 1_000, ...PLACE },
    "  statement 2 of 3 took 1.0 s",
  ],
  [
    {
      type: "statement-retried",
      attempt: 1,
      reason: "restart transaction",
      ...PLACE,
    },
    "  statement 2 of 3 is run again, attempt 2: restart transaction",
  ],
  [
    {
      type: "statement-retried",
      attempt: 1,
      reason: "no answer from postgresql://u:s3cret@h/d",
      ...PLACE,
    },
    "  statement 2 of 3 is run again, attempt 2: no answer from postgresql://u:***@h/d",
  ],
  [
    { type: "statement-reconciled", outcome: "done", ...PLACE },
    "  statement 2 of 3 was interrupted, and turned out to be done",
  ],
  [
    { type: "statement-reconciled", outcome: "not-done", ...PLACE },
    "  statement 2 of 3 was interrupted, and turned out not to be done",
  ],
  [
    { type: "statement-reconciled", outcome: "unknown", ...PLACE },
    "  statement 2 of 3 was interrupted, and nothing tells whether it is done",
  ],
  [
    {
      type: "statement-waiting",
      blockers: [
        {
          session: "4711",
          application: "psql\x1b[2J",
          since: SINCE,
          query: "SELECT *\nFROM users",
          isCertain: true,
        },
        {
          session: "4712",
          application: "",
          since: SINCE,
          query: "BEGIN",
          isCertain: false,
        },
      ],
      elapsedMs: 3_000,
      ...PLACE,
    },
    "  statement 2 of 3 has waited 3.0 s for session 4711 (psql[2J, open since 2026-01-02T03:04:05Z): SELECT * FROM users\n" +
    "  statement 2 of 3 has waited 3.0 s, perhaps for session 4712 (no application, open since 2026-01-02T03:04:05Z): BEGIN",
  ],
  [
    { type: "statement-waiting", blockers: [], elapsedMs: 3_000, ...PLACE },
    undefined,
  ],
  [
    {
      type: "job-progress",
      job: "8215",
      status: "running",
      runningStatus: "validating schema",
      fraction: 0.459,
      elapsedMs: 12_345,
      ...PLACE,
    },
    "  statement 2 of 3: job 8215 running (validating schema), 45 %, 12.3 s",
  ],
  [
    { type: "backfill-progress", cursor: "1000", rows: 998, ...PLACE },
    "  statement 2 of 3: 998 rows, up to key 1000",
  ],
];

for (const [event, text] of CASES) {
  const what = text === undefined ? "nothing" : `"${text.trim()}"`;
  Deno.test(`renderEvent() says of ${event.type}: ${what}`, () => {
    assertEquals(renderEvent(event), text);
  });
}

Deno.test("duration() never rounds up to the next unit", () => {
  assertEquals(duration(59_999), "59.9 s");
  assertEquals(duration(60_000), "1 min 0 s");
  assertEquals(duration(3_725_000), "62 min 5 s");
});
