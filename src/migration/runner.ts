/**
 * Opens a run: takes the lease, opens the session for the statements, and gives both back whatever
 * happens.
 *
 * @module
 */

import type { Database } from "../database/database.ts";
import type { Session } from "../driver/driver.ts";
import { LeaseLostError } from "../errors.ts";
import type { MigrationEvent } from "./events.ts";
import { type JournalState, journalTables, readJournal } from "./journal.ts";
import { registerMain, setUpJournal } from "./journal_setup.ts";
import { onJournal } from "./journal_wait.ts";
import { Lease } from "./lease.ts";
import type { LeaseHost } from "./lease_row.ts";
import type { MigrationOptions, RunOptions } from "./options.ts";
import type { Run } from "./run.ts";
import { serverKind } from "./server.ts";

/** What is settled once the lease is lost has this long. */
const SILENCE_MS = 5_000;

/** How a run is opened. */
export interface RunnerOptions extends MigrationOptions, RunOptions {
  /** Whether the journal's tables are known to be there. */
  isComplete?: boolean;
  /** Says whether others have done all that was to do, while this run waited. */
  isNeedless?: (session: Session) => Promise<boolean>;
}

/**
 * Runs `fn` under the lease, with the journal as it is then.
 *
 * @returns What `fn` returned; `undefined` where the run has become needless.
 * @throws {LockTimeoutError} Where another runner held the lease all the time.
 */
export async function underLease<T>(
  db: Database,
  options: RunnerOptions,
  fn: (run: Run, state: JournalState) => Promise<T>,
): Promise<T | undefined> {
  const { table = "_migrations", signal, cancelSignal, strategy } = options;
  const emit = listener(options);
  const by = describeRunner(db.config.user);
  const held = await takeLease(db, options, { emit, by });
  if (held === undefined) return undefined;
  const { lease, host: { kind, open } } = held;
  const cancel = cancelSignal ?? new AbortController().signal;
  let run: Run | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;
  try {
    const session = await open();
    try {
      const registration = await registerMain(session, table, {
        kind,
        fence: lease.fence,
      });
      if (registration === undefined) {
        throw new LeaseLostError(
          "Cannot start the migrations: another runner has taken the lease in the same moment; run the command again",
        );
      }
      const { state, ...registered } = registration;
      run = {
        ...registered,
        ...{ open, session, lease, kind, emit, by, signal },
        cancel,
        stop: AbortSignal.any([cancel, lease.lost]),
        strategy: strategy ??
          (kind === "cockroachdb" ? "statements" : "transaction"),
      };
      // Whoever waits for a server that has fallen silent is not to wait for ever.
      lease.lost.addEventListener("abort", () => {
        silence = setTimeout(() => run!.session.close(), SILENCE_MS);
      });
      return await fn(run, state);
    } finally {
      clearTimeout(silence);
      // A migration that has set something ends with a new session.
      await (run?.session ?? session).close();
    }
  } finally {
    await lease.release();
  }
}

async function takeLease(
  db: Database,
  options: RunnerOptions,
  { emit, by }: { emit: (event: MigrationEvent) => void; by: string },
): Promise<{ lease: Lease; host: LeaseHost } | undefined> {
  const {
    table = "_migrations",
    lockTimeoutMs = 60_000,
    leaseMs = 15_000,
    signal,
    isNeedless,
  } = options;
  const tables = journalTables(table);
  return await onJournal(
    db,
    { table, lockTimeoutMs, signal, emit },
    async (session) => {
      const isComplete = options.isComplete ??
        (await readJournal(session, tables)).complete;
      if (!isComplete) await setUpJournal(session, tables);
      const host = {
        open: () => db.openSession(),
        tables,
        kind: serverKind(session),
      };
      const lease = await Lease.take(session, host, {
        ...{ leaseMs, lockTimeoutMs, holder: by, signal, onEvent: emit },
        isNeedless: isNeedless && (() => isNeedless(session)),
      });
      return lease && { lease, host };
    },
  );
}

/** What tells a run's events to whoever listens. */
export function listener(
  { onEvent }: MigrationOptions,
): (event: MigrationEvent) => void {
  return (event) => {
    try {
      onEvent?.(event);
    } catch {
      // A listener's fault may not come between a statement and its note.
    }
  };
}

function describeRunner(user: string): string {
  const hostname = { name: "sys", kind: "hostname" } as const;
  const isGranted = Deno.permissions?.querySync(hostname).state === "granted";
  const host = isGranted ? Deno.hostname() : "an unnamed host";
  return `${user} on ${host}, process ${Deno.pid}`;
}
