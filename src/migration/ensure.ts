/**
 * Migrations at start-up, where many isolates start at once.
 *
 * @module
 */

import type { Database } from "../database/database.ts";
import { delay, MAX_DELAY_MS } from "../delay.ts";
import { DatabaseError, LeaseLostError, LockTimeoutError } from "../errors.ts";
import type { MigrationEvent } from "./events.ts";
import { UnknownOutcome } from "./flight.ts";
import { Migration } from "./migrator.ts";
import { checkEnsureOptions, type MigrationOptions } from "./options.ts";

const RETRY_MS = 200;

/** Options of {@linkcode ensureMigrated}. */
export interface EnsureOptions extends Omit<MigrationOptions, "lockTimeoutMs"> {
  /** How long to wait for the isolate that migrates, in milliseconds. Default: 60,000. */
  deadlineMs?: number;
}

/**
 * Makes sure that all migrations are applied, and returns how many this call applied.
 *
 * Where nothing is pending that takes one round trip and no lock. Otherwise one of the callers
 * migrates and the others wait for it; where it dies, another takes over.
 *
 * @example
 * ```ts
 * import { bundle, Database, ensureMigrated } from "@x/crdb";
 *
 * await using db = new Database();
 * await ensureMigrated(db, {
 *   source: bundle([{
 *     name: "20230101120000_create_visits.sql",
 *     text: "CREATE TABLE visits (id INT PRIMARY KEY);\n-- @UNDO\nDROP TABLE visits;",
 *   }]),
 *   table: "_visits_migrations",
 * });
 * ```
 *
 * A caller that loses its connection or its lease while it migrates tries again until the deadline:
 * what was done stays done, and the rest is gone on with.
 *
 * @throws {MigrationError} A problem, before anything is touched; or the statement that failed.
 * @throws {LockTimeoutError} Where the deadline passed while another isolate migrated, or before the
 * server answered.
 */
export async function ensureMigrated(
  db: Database,
  options: EnsureOptions = {},
): Promise<number> {
  checkEnsureOptions(options);
  const { deadlineMs = 60_000, onEvent, ...rest } = options;
  const start = performance.now();
  let applied = 0;
  for (;;) {
    const deadline = new Deadline(deadlineMs, start);
    const listen = (event: MigrationEvent) => {
      if (event.type === "migration-finished") applied++;
      deadline.hear(event);
      onEvent?.(event);
    };
    try {
      const migration = new Migration(db, {
        ...rest,
        onEvent: listen,
        lockTimeoutMs: Infinity,
      });
      await migration.migrate({ signal: deadline.signal });
      return applied;
    } catch (error) {
      const isLate = performance.now() - start > deadlineMs;
      if (isLate || !wasInterrupted(error)) throw error;
    } finally {
      deadline.end();
    }
    await delay(RETRY_MS * (0.5 + Math.random()));
  }
}

/** Ends the waiting for others, and for the server; whoever migrates himself isn't ended. */
class Deadline {
  readonly #ms: number;
  readonly #late = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  #reason = "the server didn't answer; check host, port and network";

  constructor(ms: number, start: number) {
    this.#ms = ms;
    const left = Math.max(0, ms - (performance.now() - start));
    this.#timer = left > MAX_DELAY_MS
      ? undefined
      : setTimeout(() => this.#late.abort(this.#error()), left);
  }

  get signal(): AbortSignal {
    return this.#late.signal;
  }

  hear(event: MigrationEvent): void {
    if (event.type === "lease-acquired") this.end();
    if (event.type !== "lease-waiting") return;
    const { holder, since } = event.holder;
    this.#reason = `${holder} holds the lease since ${since.toISOString()}; ` +
      "wait for it, or run unlock if that runner is gone";
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #error(): LockTimeoutError {
    return new LockTimeoutError(
      `Cannot make sure that the migrations are applied within ${this.#ms} ms: ${this.#reason}, or raise deadlineMs`,
    );
  }
}

/** Whether a run ended for no fault of its migrations, and may end well another time. */
function wasInterrupted(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof LeaseLostError || at instanceof UnknownOutcome) {
      return true;
    }
    if (at instanceof DatabaseError) {
      // Where no connection was made in the first place, the address is more likely to be wrong.
      return at.kind === "ambiguous" ||
        at.kind === "connection" && at.code !== "08001";
    }
  }
  return false;
}
