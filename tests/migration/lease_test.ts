/**
 * The lease of a runner that was stopped for longer than it lasts, as a whole.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { Database } from "../../src/database/database.ts";
import type { Session } from "../../src/driver/driver.ts";
import { DatabaseError } from "../../src/errors.ts";
import { journalTables } from "../../src/migration/journal.ts";
import { setUpJournal } from "../../src/migration/journal_setup.ts";
import { Lease } from "../../src/migration/lease.ts";
import { endSession, serverKind } from "../../src/migration/server.ts";
import { databaseTest } from "../support/database.ts";

const tables = journalTables("_migrations");
const LEASE_MS = 3_000;

/** Ends a session, as the next runner does. */
function end(db: Database, name: string): Promise<void> {
  return db.withSession((session) =>
    endSession(session, serverKind(session), name)
  );
}

function take(
  db: Database,
  open: () => Promise<Session>,
  leaseMs = LEASE_MS,
): Promise<Lease | undefined> {
  return db.withSession(async (session) => {
    await setUpJournal(session, tables);
    const host = { open, tables, kind: serverKind(session) };
    return await Lease.take(session, host, {
      ...{ leaseMs, lockTimeoutMs: 5_000, holder: "a test" },
    });
  });
}

/** The signal of a lease whose holder sleeps for nearly as long as it lasts, and what is done meanwhile. */
async function afterSleep(
  db: Database,
  open: () => Promise<Session>,
  meanwhile: (heartbeat: string) => Promise<void>,
): Promise<AbortSignal> {
  const lease = await take(db, open);
  // The first heartbeat is there by then.
  await lease!.look(() => Promise.resolve());
  await new Promise((resolve) => setTimeout(resolve, 100));
  await lease!.look(() => Promise.resolve());
  const [{ name }] = await db.query<{ name: string }>(
    `SELECT session AS name FROM ${tables.lease}`,
  );
  await meanwhile(name);
  // The whole process stands still, and its timers with it.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LEASE_MS - 500);
  await new Promise((resolve) => setTimeout(resolve, 900));
  await lease!.release();
  return lease!.lost;
}

databaseTest(
  "a runner whose session was ended by the next one says that the lease is taken",
  async (db) => {
    const lost = await afterSleep(db, () => db.openSession(), async (name) => {
      await db.execute(`UPDATE ${tables.lease} SET fence = fence + 1`);
      await end(db, name);
    });
    assertEquals(
      lost.reason?.message,
      "Cannot go on with the migrations: the lease is lost (another runner has taken it, or somebody has run unlock); " +
        "run the command again, it finds out what is done",
    );
  },
);

databaseTest(
  "a runner whose session was ended keeps a lease that nobody has taken",
  async (db) => {
    const lost = await afterSleep(db, () => db.openSession(), async (name) => {
      await end(db, name);
    });
    assertEquals(lost.reason, undefined);
  },
);

databaseTest(
  "a runner that is not let in again says so",
  async (db) => {
    let isGone = false;
    const open = () => {
      if (!isGone) return db.openSession();
      const code = "08001";
      const message = "Cannot connect to nowhere: refused; start it";
      return Promise.reject(new DatabaseError({ code, message }));
    };
    const lost = await afterSleep(db, open, async (name) => {
      isGone = true;
      await end(db, name);
    });
    assertEquals(
      lost.reason?.message,
      "Cannot go on with the migrations: the lease is lost (the connection is lost, and no other can be opened); " +
        "run the command again, it finds out what is done",
    );
  },
);

databaseTest(
  "a lease that was released isn't lost, though a heartbeat was on its way",
  async (db) => {
    const { promise: isHeld, resolve: hold } = Promise.withResolvers<void>();
    const { promise: isFree, resolve: free } = Promise.withResolvers<void>();
    const lease = await take(db, async () => {
      hold();
      await isFree;
      return await db.openSession();
    }, 1_200);
    await isHeld;
    const released = lease!.release();
    free();
    await released;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assertEquals(lease!.lost.aborted, false);
  },
);

databaseTest(
  "a session that the heartbeat opens too late is closed",
  async (db) => {
    const { promise: isHeld, resolve: hold } = Promise.withResolvers<void>();
    const { promise: isFree, resolve: free } = Promise.withResolvers<void>();
    const { promise: late, resolve: opened } = Promise.withResolvers<Session>();
    const lease = await take(db, async () => {
      hold();
      await isFree;
      const session = await db.openSession();
      opened(session);
      return session;
    });
    await isHeld;
    // Nobody answers, until after the lease has run out.
    await new Promise((resolve) =>
      lease!.lost.addEventListener("abort", resolve)
    );
    await lease!.release();
    free();
    const session = await late;
    await new Promise((resolve) => setTimeout(resolve, 200));
    assertEquals(session.broken, true);
  },
);
