/**
 * Sessions with names of their own, and the waiting for a good answer.
 *
 * @module
 */

import { assert } from "@std/assert";
import type { Database } from "../../src/database/database.ts";
import { resolveConfig } from "../../src/driver/config.ts";
import type { Session } from "../../src/driver/driver.ts";
import type { FreshDatabase } from "../../src/fresh_database.ts";
import { drivers } from "./drivers.ts";

const { driver } = drivers.find(({ reason }) => reason === undefined)!;

/** How long a good answer is waited for. */
export const LIMIT_MS = 30_000;

/** Runs `fn` with sessions of its own, which are closed afterwards. */
export async function withSessions(
  { options }: Pick<FreshDatabase, "options">,
  names: readonly string[],
  fn: (...sessions: Session[]) => Promise<void>,
): Promise<void> {
  const { url, database, user } = options;
  const sessions = await Promise.all(
    names.map((applicationName) =>
      driver.connect(resolveConfig({ url, database, user, applicationName }))
    ),
  );
  try {
    await fn(...sessions);
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

/** Asks until the answer is good; fails where it isn't within 30 seconds. */
export async function eventually<T>(
  ask: () => Promise<T>,
  isGood: (answer: T) => boolean,
): Promise<T> {
  const start = performance.now();
  for (;;) {
    const answer = await ask();
    if (isGood(answer)) return answer;
    const text = JSON.stringify(answer);
    assert(performance.now() - start < LIMIT_MS, `no good answer: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** The time by the server's clock. */
export async function databaseTime(db: Database): Promise<Date> {
  return (await db.queryOne<{ now: Date }>`SELECT now() AS now`)!.now;
}
