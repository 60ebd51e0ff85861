/**
 * Looks on while a schema change runs: from the third second on, whom it waits for and how far its
 * jobs are, asked on the heartbeat's session.
 *
 * @module
 */

import type { Session } from "../driver/driver.ts";
import { type Flight, placeOf } from "./flight.ts";
import { blockersOf, schemaJobs } from "./jobs.ts";
import type { PlannedStatement } from "./planned.ts";

const QUIET_MS = 2_000;
const POLL_MS = 1_000;

/** Runs `fn`, and says what it waits for when it takes longer than two seconds. */
export async function watched<T>(
  flight: Flight,
  planned: PlannedStatement,
  fn: () => Promise<T>,
): Promise<T> {
  const start = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  const look = async () => {
    // Looking on is no reason to fail.
    await tell(flight, planned, start).catch(() => {});
    if (!isOver) timer = setTimeout(look, POLL_MS);
  };
  timer = setTimeout(look, QUIET_MS);
  try {
    return await fn();
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}

async function tell(
  flight: Flight,
  planned: PlannedStatement,
  start: number,
): Promise<void> {
  const { run } = flight;
  const place = placeOf(flight, planned);
  await run.lease.look(async (session) => {
    const jobs = await schemaJobs(session, await databaseTime(session, start));
    for (const { id: job, status, runningStatus, fraction } of jobs) {
      if (status === "succeeded") continue;
      const elapsedMs = performance.now() - start;
      run.emit({
        type: "job-progress",
        job,
        status,
        runningStatus,
        fraction,
        elapsedMs,
        ...place,
      });
    }
    const blockers = await blockersOf(session, run.kind, run.mainSession);
    if (blockers.length === 0) return;
    const elapsedMs = performance.now() - start;
    run.emit({ type: "statement-waiting", blockers, elapsedMs, ...place });
  });
}

/** When the statement was sent, by the database's clock: the client's may be anything. */
async function databaseTime(session: Session, start: number): Promise<Date> {
  const { rows } = await session.query(
    "SELECT (extract(epoch FROM now()) * 1000)::INT8",
  );
  return new Date(Number(rows[0][0]) - (performance.now() - start));
}
