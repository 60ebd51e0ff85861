/**
 * The waiting before the first statement of a migration: the journal's own tables may be held by
 * others, too. It isn't silent, and it has an end.
 *
 * @module
 */

import type { Database } from "../database/database.ts";
import { LentSession } from "../database/lent_session.ts";
import { MAX_DELAY_MS } from "../delay.ts";
import type {
  QueryResult,
  Session,
  SessionQueryOptions,
} from "../driver/driver.ts";
import { LockTimeoutError } from "../errors.ts";
import { splitName } from "../sql.ts";
import { blockersOf } from "./blockers.ts";
import type { Blocker, MigrationEvent } from "./events.ts";
import { serverKind } from "./server.ts";

/** How long is waited, and who is told. */
export interface JournalWaitOptions {
  /** The table of applied migrations. */
  readonly table: string;
  /** How long a statement may wait for others, in milliseconds. */
  readonly lockTimeoutMs: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
  /** Is told whom it waits for. */
  readonly emit: (event: MigrationEvent) => void;
}

const QUIET_MS = 2_000;
const POLL_MS = 1_000;
/** A server that answers at all has done any statement of the journal's by then. */
const SILENCE_MS = 60_000;

/**
 * Runs `fn` on a session for the journal's own statements.
 *
 * @throws {LockTimeoutError} Where one of them had to wait for others, or the server, for too long.
 */
export async function onJournal<T>(
  db: Database,
  options: JournalWaitOptions,
  fn: (session: Session) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const { signal } = options;
  const wait = new JournalWait(db, options, late);
  const either = signal === undefined
    ? late.signal
    : AbortSignal.any([signal, late.signal]);
  try {
    return await db.withSession(
      (session) => fn(new WatchedSession(session, wait)),
      { signal: either },
    );
  } finally {
    await wait.end();
  }
}

/** Looks on, on a session of its own, while a statement waits. */
class JournalWait {
  readonly #db: Database;
  readonly #options: JournalWaitOptions;
  readonly #late: AbortController;
  #looking: Promise<void> = Promise.resolve();
  #looker: Session | undefined;

  constructor(
    db: Database,
    options: JournalWaitOptions,
    late: AbortController,
  ) {
    this.#db = db;
    this.#options = options;
    this.#late = late;
  }

  /** Starts to watch a statement. */
  begin(): Disposable {
    const start = performance.now();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const look = async () => {
      // Looking on is no reason to fail.
      const blockers = await this.#look().catch(() => []);
      if (isOver) return;
      const elapsedMs = performance.now() - start;
      if (blockers.length > 0) {
        this.#options.emit({ type: "journal-waiting", blockers, elapsedMs });
      }
      this.#judge(blockers, elapsedMs);
      timer = setTimeout(go, POLL_MS);
    };
    const go = () => void (this.#looking = look());
    timer = setTimeout(go, QUIET_MS);
    return {
      [Symbol.dispose]() {
        isOver = true;
        clearTimeout(timer);
      },
    };
  }

  /** Closes what was opened for looking on. */
  async end(): Promise<void> {
    if (this.#looker === undefined) return;
    await this.#looking;
    await this.#looker.close();
  }

  async #look(): Promise<Blocker[]> {
    const timeoutMs = QUIET_MS;
    if (this.#looker === undefined || this.#looker.broken) {
      this.#looker = await this.#db.openSession({ timeoutMs });
    }
    const session = new LentSession(this.#looker, { timeoutMs });
    const naming = splitName(this.#options.table).at(-1)!;
    return await blockersOf(session, serverKind(session), { naming });
  }

  #judge(blockers: readonly Blocker[], elapsedMs: number): void {
    const { table, lockTimeoutMs } = this.#options;
    const isHeld = blockers.length > 0;
    const limitMs = isHeld
      ? lockTimeoutMs
      : Math.max(lockTimeoutMs, SILENCE_MS);
    if (elapsedMs < Math.min(limitMs, MAX_DELAY_MS)) return;
    const reason = isHeld
      ? `${
        blockers.map(described).join(", ")
      }; wait for that to end, or end it, or raise the lock timeout`
      : "the server doesn't answer; check it and the network";
    this.#late.abort(
      new LockTimeoutError(
        `Cannot open the journal ${table} within ${
          Math.round(elapsedMs)
        } ms: ${reason}`,
      ),
    );
  }
}

function described(
  { session, application, since, isCertain }: Blocker,
): string {
  const sure = isCertain ? "" : "perhaps ";
  return `${sure}session ${session} (${
    application || "without a name"
  }) has a transaction open since ${since.toISOString()}`;
}

/** A session whose statements are watched. */
class WatchedSession extends LentSession {
  readonly #wait: JournalWait;

  constructor(session: Session, wait: JournalWait) {
    super(session);
    this.#wait = wait;
  }

  override async query(
    text: string,
    args?: readonly (string | null)[],
    options?: SessionQueryOptions,
  ): Promise<QueryResult> {
    using _watch = this.#wait.begin();
    return await super.query(text, args, options);
  }
}
