/**
 * A driver without a server: its sessions answer at once, or when a test lets them.
 *
 * @module
 */

import type {
  ConnectionConfig,
  Driver,
  QueryResult,
  RowBatch,
  Session,
  TransactionStatus,
} from "../../src/driver/driver.ts";
import { DatabaseError } from "../../src/errors.ts";

/** A session whose state the test sets. */
export class FakeSession implements Session {
  /** Nothing is reported. */
  readonly parameters = {};
  /** Whether it can do no more work. */
  broken = false;
  /** What a server would say of its transaction. */
  transactionStatus: TransactionStatus = "idle";
  /** Every statement that it was sent. */
  readonly statements: string[] = [];
  /** Whether it was closed. */
  closed = false;
  /** What a statement waits for, besides the end of the session. */
  gate: Promise<unknown> = Promise.resolve();
  readonly #end = Promise.withResolvers<never>();

  /** Makes a session. */
  constructor() {
    this.#end.promise.catch(() => {});
  }

  /** Notes the statement. */
  async query(text: string): Promise<QueryResult> {
    this.statements.push(text);
    await Promise.race([this.gate, this.#end.promise]);
    if (text.startsWith("BEGIN")) this.transactionStatus = "open";
    if (/^(COMMIT|ROLLBACK)/.test(text)) this.transactionStatus = "idle";
    const command = text.split(" ")[0];
    return { columns: [], rows: [], command, rowCount: 0, notices: [] };
  }

  /** Yields nothing. */
  async *stream(): AsyncGenerator<RowBatch> {}

  /** Does nothing. */
  cancel(): Promise<void> {
    return Promise.resolve();
  }

  /** Ends the session. */
  close(): Promise<void> {
    this.closed = this.broken = true;
    const message = "Cannot use the session: it was closed";
    this.#end.reject(new DatabaseError({ code: "08003", message }));
    return Promise.resolve();
  }
}

/** A driver of {@linkcode FakeSession}s. */
export class FakeDriver implements Driver {
  /** Its name. */
  readonly name = "fake";
  /** All sessions that were opened. */
  readonly sessions: FakeSession[] = [];
  /** How often a session was asked for. */
  attempts = 0;
  /** Why none can be opened. */
  failure: unknown;
  /** What opening waits for. */
  gate: Promise<unknown> = Promise.resolve();

  /** Opens a session, or fails. */
  async connect(
    _config: ConnectionConfig,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<Session> {
    this.attempts++;
    const aborted = new Promise<never>((_, reject) =>
      signal?.addEventListener("abort", () => reject(signal.reason))
    );
    await Promise.race([this.gate, aborted]);
    if (this.failure !== undefined) throw this.failure;
    const session = new FakeSession();
    this.sessions.push(session);
    return session;
  }
}
