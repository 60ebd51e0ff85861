/**
 * A session on a driver's wire: what is the same whatever the driver. It keeps a call's limits (a
 * cancel request, and the end of the connection where that doesn't help in time), and turns what was
 * answered into a result, batches or an error.
 *
 * @module
 */

import { settledWithin } from "../delay.ts";
import { DatabaseError } from "../errors.ts";
import { Answer } from "./answer.ts";
import {
  busyError,
  type Call,
  cancelledError,
  checkCall,
  repeated,
  type Statement,
  timeoutError,
} from "./call.ts";
import type {
  QueryResult,
  RowBatch,
  Session,
  SessionQueryOptions,
  StreamOptions,
  TransactionStatus,
} from "./driver.ts";
import { checkSignal, Limit } from "./limit.ts";
import { abandoned } from "./loss.ts";
import { isDisguised, noteChange } from "./statement_names.ts";

export type { Statement } from "./call.ts";

/** What a driver gives to a {@linkcode WireSession}. */
export interface Wire {
  /** What the server reported of itself. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The state of the session's transaction, as of the last answer. */
  readonly transactionStatus: TransactionStatus;
  /** Why the session can do no more work; absent while it can. */
  readonly lost?: DatabaseError;
  /** Whether the server gave the key that a cancel request needs. */
  readonly cancellable: boolean;
  /**
   * Runs a statement; what comes in goes into the answer. Resolves when the server is ready for the
   * next one, or the connection was lost.
   */
  run(statement: Statement, answer: Answer): Promise<void>;
  /** Sends a cancel request; resolves when the server has hung up, so that it can't come later. */
  cancel(signal: AbortSignal): Promise<void>;
  /** Gives the session up and closes the connection. Of several reasons the first one counts. */
  lose(reason: DatabaseError): void;
  /** Says good-bye and closes the connection; never rejects. */
  close(): Promise<void>;
}

/** A cancelled statement has this long to end before its connection is closed. */
const CANCEL_GRACE_MS = 2_000;
const CANCEL_AGAIN_MS = 100;
const CANCEL_SETTLE_MS = 100;
const DRAIN_MS = 20;
/** So many rows are asked for at a time, so that a stream can be left without being cancelled. */
const PORTION = 1_000;
/** What is left of a portion has this long to come before the statement is cancelled. */
const PORTION_MS = 2_000;
/** More would go no faster, and live long enough to make the heap grow. */
const BATCH_SIZE = 200;

interface Running {
  readonly answer: Answer;
  /** Called at the end, where someone waits for it. */
  onEnd?: () => void;
  /** Settled when the session is free again, where someone waits for that. */
  over?: PromiseWithResolvers<void>;
}

/** A session on a {@linkcode Wire}. */
export class WireSession implements Session {
  #wire: Wire;
  #running?: Running;
  #hasChanged = false;
  #stopping?: Promise<void>;
  #grace?: ReturnType<typeof setTimeout>;

  /**
   * Makes a session of a wire that is logged in.
   *
   * @param wire The wire; it belongs to the session from now on.
   */
  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** What the server reported of itself. */
  get parameters(): Readonly<Record<string, string>> {
    return this.#wire.parameters;
  }

  /** Whether the session can do no more work. */
  get broken(): boolean {
    return this.#wire.lost !== undefined;
  }

  /** The state of the session's transaction, as of the last answer. */
  get transactionStatus(): TransactionStatus {
    return this.#wire.transactionStatus;
  }

  /** Whether a statement is under way, or a stream that wasn't read to its end. */
  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** Rows go to a sink where one is given. */
  get takesSinks(): boolean {
    return true;
  }

  /** Runs a statement. */
  async query(
    text: string,
    args: readonly (string | null)[] = [],
    options: SessionQueryOptions = {},
  ): Promise<QueryResult> {
    const { sink, ...limits } = options;
    const answer = new Answer({ sink });
    await this.#run({ ...limits, text, args }, answer);
    return answer.toResult();
  }

  /** Runs one statement and yields its rows in batches. */
  async *stream(
    text: string,
    args: readonly (string | null)[] = [],
    options: StreamOptions = {},
  ): AsyncGenerator<RowBatch> {
    const { batchSize = BATCH_SIZE, onEnd, ...limits } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new RangeError(
        `Cannot stream in batches of ${batchSize} rows; give a whole number above 0`,
      );
    }
    // A cancelled statement would be the end of its transaction.
    const portion = this.transactionStatus === "open" ? PORTION : undefined;
    const answer = new Answer({ batchSize, portion });
    let ended = false;
    const done = this.#run({ ...limits, text, args }, answer)
      .finally(() => {
        ended = true;
        answer.end();
        onEnd?.();
      });
    // It may fail while a batch is with the caller, who learns it with the next one.
    done.catch(() => {});
    try {
      for (;;) {
        if (!ended) await answer.batch;
        const { columns } = answer;
        const rows = answer.take();
        if (rows.length > 0) yield { columns, rows };
        else if (ended) return await done;
      }
    } finally {
      if (!ended && portion !== undefined) {
        answer.discard();
        await settledWithin(PORTION_MS, done.catch(() => {}));
      }
      if (!ended) {
        this.#end();
        await done.catch(() => {});
      }
    }
  }

  /** Ends the statement under way; resolves when the session is free again, or lost. */
  async cancel(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    running.over ??= Promise.withResolvers();
    this.#end();
    await running.over.promise;
  }

  /** Ends the session; never rejects. */
  close(): Promise<void> {
    return this.#wire.close();
  }

  async #run(call: Call, answer: Answer): Promise<void> {
    const { text: statement, signal } = call;
    this.#check(call);
    // Where it throws, the session has to be free.
    const limit = new Limit(call, () => this.#end());
    const running: Running = this.#running = { answer };
    await this.#wire.run(call, answer).catch((error) => {
      this.#wire.lose(abandoned("the driver failed", error));
    });
    this.#noteChanges(call, answer);
    running.onEnd?.();
    limit[Symbol.dispose]();
    clearTimeout(this.#grace);
    // A request that arrives late must not hit the next statement.
    if (this.#stopping !== undefined) await this.#stopping;
    this.#running = this.#stopping = this.#grace = undefined;
    running.over?.resolve();

    const { error, notices } = answer;
    const lost = answer.whole ? undefined : this.#wire.lost;
    const failure = error !== undefined
      ? new DatabaseError(error, { statement, notices })
      : lost && repeated(lost, { statement, notices });
    if (
      limit.reached !== undefined &&
      (answer.streamed || failure?.code === "57014" || lost !== undefined)
    ) {
      throw limit.reached === "time"
        ? timeoutError(call, failure)
        : signal?.reason;
    }
    if (failure !== undefined) throw failure;
    if (answer.discarded) throw cancelledError(call);
  }

  /** Others learn of a change when it is committed. */
  #noteChanges({ text }: Call, { changes, command }: Answer): void {
    const isChanged = changes || isDisguised(text, command) || this.broken;
    const isOpen = this.transactionStatus !== "idle";
    if (isChanged || (this.#hasChanged && !isOpen)) noteChange();
    this.#hasChanged = isOpen && (isChanged || this.#hasChanged);
  }

  #check(call: Call): void {
    const { text: statement, signal } = call;
    checkSignal(signal);
    signal?.throwIfAborted();
    const { lost } = this.#wire;
    if (lost !== undefined) throw repeated(lost, { statement });
    if (this.#running !== undefined) throw busyError(call);
    checkCall(call);
  }

  /**
   * Ends what is under way: by a cancel request, or by closing the connection. Of a streamed answer
   * no one wants any more rows then.
   */
  #end(): void {
    if (this.#running === undefined) return;
    const { answer } = this.#running;
    this.#grace ??= setTimeout(() => {
      this.#wire.lose(
        abandoned(
          `its cancelled statement didn't end within ${CANCEL_GRACE_MS} ms`,
        ),
      );
    }, CANCEL_GRACE_MS);
    if (answer.streamed) answer.discard();
    this.#stopping ??= this.#cancel(this.#running);
  }

  /** Never rejects. */
  async #cancel(running: Running): Promise<void> {
    if (!this.#wire.cancellable) {
      return this.#wire.lose(abandoned("its statement was cancelled"));
    }
    let ended = false;
    const end = new Promise<void>((resolve) => {
      running.onEnd = () => {
        ended = true;
        resolve();
      };
    });
    // The end of a stream is often on its way already.
    if (running.answer.streamed) await settledWithin(DRAIN_MS, end);
    if (ended) return;
    const controller = new AbortController();
    using _limit = new Limit(
      { timeoutMs: CANCEL_GRACE_MS },
      () => controller.abort(),
    );
    // A request that overtakes its statement does nothing, so it is repeated.
    for (let pause = CANCEL_AGAIN_MS; !ended; pause *= 2) {
      try {
        await this.#wire.cancel(controller.signal);
      } catch {
        // The grace takes care of requests that fail.
      }
      await settledWithin(pause, end);
    }
    // CockroachDB may hang up before it cancels: a request without effect can still be on its way.
    if (
      running.answer.error?.code !== "57014" &&
      this.#wire.parameters.crdb_version !== undefined
    ) {
      await new Promise((resolve) => setTimeout(resolve, CANCEL_SETTLE_MS));
    }
  }
}
