/**
 * What a server answers to one call, as it comes in: rows, columns, notices, the first error.
 *
 * It is also the gate of a streamed result. Once a batch is complete the transport waits before it
 * until the batch was taken, and while it waits nothing is read from the server.
 *
 * @module
 */

import type {
  Column,
  QueryResult,
  RowSink,
  TextRow,
  WireFields,
} from "./driver.ts";
import type { CommandTag } from "./frames.ts";
import { isChange } from "./statement_names.ts";

/** What becomes of the rows of an answer; without either option they are all kept. */
export interface AnswerOptions {
  /** How many rows may wait to be taken. */
  readonly batchSize?: number;
  /** How many rows the server is asked for at a time, where they are streamed. Default: all. */
  readonly portion?: number;
  /** Takes the rows. */
  readonly sink?: RowSink;
}

/** So many rows are worth a call of the sink. */
const SINK_ROWS = 64;

/** A batch of so many bytes is complete, however few rows it has. */
export const BATCH_LENGTH: number = 1024 * 1024;

/** The answer to one call. */
export class Answer {
  /** The columns of the last result. */
  columns: readonly Column[] = [];
  /** The rows of the last result that weren't taken yet. */
  rows: TextRow[] = [];
  /** The words of the last command tag. */
  command = "";
  /** The number in the last command tag. */
  rowCount = 0;
  /** The first error. */
  error?: WireFields;
  /** Whether the server has come to the statement itself. */
  bound = false;
  /** Whether something has changed more than rows. */
  changes = false;
  /** Notices and warnings. */
  notices: WireFields[] = [];
  /** How many rows may wait to be taken. */
  readonly batchSize: number;
  /** How many rows the server is asked for at a time; `undefined` for all. */
  readonly portion?: number;
  /** Whether the server has more rows, for which it has to be asked. */
  suspended = false;
  /** Whether the server is ready for what comes next: nothing that follows belongs to the answer. */
  ready = false;
  readonly #sink?: RowSink;
  #length = 0;
  #discarding = false;
  #described = false;
  #complete?: PromiseWithResolvers<void>;
  #taken?: PromiseWithResolvers<void>;

  /**
   * Makes an answer that nothing has come in for.
   *
   * @param options What becomes of the rows.
   */
  constructor({ batchSize = Infinity, portion, sink }: AnswerOptions = {}) {
    this.batchSize = batchSize;
    this.portion = portion;
    this.#sink = sink;
    if (this.streamed) this.#renew();
  }

  /** Whether rows are handed over in batches. */
  get streamed(): boolean {
    return this.batchSize !== Infinity;
  }

  /** How many rows still fit into the batch; 0 where it is complete. */
  get room(): number {
    return this.streamed && this.#length >= BATCH_LENGTH
      ? 0
      : this.batchSize - this.rows.length;
  }

  /** Whether no one wants the rows any more. */
  get discarded(): boolean {
    return this.#discarding;
  }

  /** Whether all of it has come in, so that the end of the connection takes nothing from it. */
  get whole(): boolean {
    return this.ready && !this.suspended && !this.#discarding;
  }

  /** Resolves, where rows are streamed, when a batch waits to be taken, and when the call has ended. */
  get batch(): Promise<void> | undefined {
    return this.#complete?.promise;
  }

  /**
   * Adds rows; dropped where no one wants them any more.
   *
   * @param length How many bytes they had. It counts where rows are streamed.
   */
  add(rows: TextRow[], length = 0): void {
    if (this.#discarding) return;
    this.#length += length;
    if (this.rows.length === 0) this.rows = rows;
    else for (const row of rows) this.rows.push(row);
    if (this.rows.length >= SINK_ROWS) this.#drain();
  }

  /** Starts a result that has rows. */
  startResult(columns: readonly Column[]): void {
    this.#described = true;
    this.columns = columns;
    this.rows = [];
    this.#sink?.start(columns);
  }

  /** Ends a result. One without rows replaces the rows before it, unless they are streamed. */
  endResult(tag: CommandTag): void {
    const { command, rowCount } = tag;
    if (!this.#described && !this.streamed) this.startResult([]);
    this.changes ||= isChange(command);
    this.#described = false;
    this.command = command;
    this.rowCount = rowCount;
    this.#drain();
    this.#sink?.end?.();
  }

  /** Forgets what has come in, for the statement is to be sent again. */
  restart(): void {
    this.startResult([]);
    this.#described = this.bound = false;
    this.error = undefined;
    this.notices = [];
  }

  /** Hands the batch over and resolves when it was taken. */
  handOver(): Promise<void> | undefined {
    if (this.#discarding) return;
    this.#complete?.resolve();
    return this.#taken?.promise;
  }

  /** Takes the rows that wait and lets the transport go on. */
  take(): TextRow[] {
    const { rows } = this;
    this.rows = [];
    this.#length = 0;
    this.#taken?.resolve();
    if (this.streamed) this.#renew();
    return rows;
  }

  /** Says that nothing more comes in. */
  end(): void {
    this.#complete?.resolve();
  }

  /** Drops the rows that wait and all that follow; not those that are the result of a call. */
  discard(): void {
    if (this.ready && !this.streamed) return;
    this.#discarding = true;
    this.#complete?.resolve();
    this.take();
  }

  /** The answer as a whole. */
  toResult(): QueryResult {
    const { columns, rows, command, rowCount, notices } = this;
    return { columns, rows, command, rowCount, notices };
  }

  #drain(): void {
    if (this.#sink === undefined || this.rows.length === 0) return;
    this.#sink.add(this.rows);
    this.rows = [];
  }

  #renew(): void {
    this.#complete = Promise.withResolvers();
    this.#taken = Promise.withResolvers();
  }
}
