/**
 * A run: what every step of it needs, from the session that runs the statements to the lease.
 *
 * @module
 */

import type { QueryResult, Session } from "../driver/driver.ts";
import { DatabaseError, LeaseLostError } from "../errors.ts";
import type { MigrationEvent } from "./events.ts";
import { insist } from "./insist.ts";
import { FENCED_OFF } from "./journal_notes.ts";
import { type JournalTables, writingFailure } from "./journal.ts";
import type { Lease } from "./lease.ts";
import type { ServerKind } from "./server.ts";

/** How the statements of a migration are kept together. */
export type Strategy =
  /** One transaction a migration, on servers whose schema changes are transactional. */
  | "transaction"
  /** One statement at a time, each noted in the journal. */
  | "statements";

/** A run that holds the lease. */
export interface Run {
  /** Opens a session like the one that runs the statements. */
  open(): Promise<Session>;
  /** The session that runs the statements. */
  session: Session;
  /** The name of that session, by which others can look for it. */
  mainSession: string;
  /** The session's database at its last note; a migration may have changed it. */
  database?: string;
  /** The statement by which a migration has changed the session's role, and what undoes it. */
  role?: { readonly change: string; readonly reset: string };
  /** The lease. */
  readonly lease: Lease;
  /** The journal's tables, with their schema. */
  readonly tables: JournalTables;
  /** What the server is. */
  readonly kind: ServerKind;
  /** How statements are kept together, where a migration allows both. */
  readonly strategy: Strategy;
  /** Who runs: user, host, process. */
  readonly by: string;
  /** Stops the run before the next statement. */
  readonly signal?: AbortSignal;
  /** Cancels the statement in flight too. */
  readonly cancel: AbortSignal;
  /** Fires when the statement in flight is to stop: at `cancel`, and when the lease is lost. */
  readonly stop: AbortSignal;
  /** Is told of every step. */
  emit(event: MigrationEvent): void;
}

/**
 * Makes sure that the run may take another step.
 *
 * @throws Where the lease is lost, or the run was told to stop.
 */
export async function mayGoOn({ lease, signal, cancel }: Run): Promise<void> {
  signal?.throwIfAborted();
  cancel.throwIfAborted();
  await lease.assure();
}

/**
 * Writes to the journal.
 *
 * @param more SQL that is sent in the same message, after the write.
 * @throws {MigrationError} Where another runner has taken the lease; nothing is written then.
 */
export async function writeJournal(
  run: Run,
  write: string,
  more = "",
): Promise<QueryResult> {
  const text = journalText(run, write, more);
  const send = () => run.session.query(text);
  try {
    // With COMMIT it is the end of a transaction, which only runs again as a whole.
    const result = await (more === "" ? insist(send) : send());
    run.database = result.rows[0]?.[1] ?? run.database;
    return result;
  } catch (error) {
    throw journalFailure(error);
  }
}

/** The SQL of a write to the journal, and of what is sent after it. */
export function journalText(
  { role }: Run,
  write: string,
  more: string,
): string {
  // A role that a migration has taken on needn't be allowed to write the journal.
  const parts = role === undefined
    ? [write, more]
    : [role.reset, write, more, role.change];
  return parts.filter((part) => part !== "").join("; ");
}

/** What the failure of a write to the journal means. */
export function journalFailure(error: unknown): unknown {
  if (!(error instanceof DatabaseError)) return error;
  if (error.code === FENCED_OFF) {
    return new LeaseLostError(
      "Cannot go on with the migrations: another runner has taken the lease, and goes on from here, or somebody has run unlock; " +
        "wait for it, then look at the status",
      { cause: error },
    );
  }
  // What COMMIT says, such as a deferred constraint, is about the migration, not about the journal.
  return writingFailure(error);
}

/** Ends whatever transaction the session is in. */
export async function rollBack({ session }: Run): Promise<void> {
  if (!session.broken && session.transactionStatus !== "idle") {
    await session.query("ROLLBACK");
  }
}

const MIN_DELAY_MS = 10;
const MAX_DELAY_MS = 2_000;
const MAX_ATTEMPTS = 50;

/** Runs `fn` again while the server asks for that (40001), waiting longer each time. */
export async function retried<T>(
  run: Run,
  fn: () => Promise<T>,
  onRetry: (attempt: number, error: DatabaseError) => void,
): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await fn();
    } catch (error) {
      await rollBack(run);
      const mayRetry = error instanceof DatabaseError &&
        error.kind === "retryable";
      if (!mayRetry || attempt >= MAX_ATTEMPTS) throw error;
      onRetry(attempt, error);
    }
    const delay = Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** attempt) *
      Math.random();
    await new Promise((resolve) => setTimeout(resolve, delay));
    await mayGoOn(run);
  }
}
