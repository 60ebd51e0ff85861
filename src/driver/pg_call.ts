/**
 * One statement on `npm:pg`, as a query of our own: the way in which `npm:pg-cursor` is one. What
 * the server sends goes into the answer as it is, in text. While a batch of a streamed answer waits
 * to be taken, nothing is read from the socket; that works on every server, where a portal's row
 * limit is closed to CockroachDB outside of explicit transactions.
 *
 * @module
 */

import { type Answer, BATCH_LENGTH } from "./answer.ts";
import type { TextRow } from "./driver.ts";
import { parseCommandTag } from "./frames.ts";
import { copyRefusal } from "./loss.ts";
import type { PgConnection, PgField, PgMessage, PgQuery } from "./pg_types.ts";
import type { Statement } from "./session.ts";

const encoder = new TextEncoder();

/** Options of a {@linkcode PgCall}. */
export interface PgCallOptions {
  /** Where to put what comes in. */
  answer: Answer;
  /** Takes an error of the server's or of the connection. */
  onError: (error: Error) => void;
  /** Whether it asks for more rows of the call before, or closes its portal where no one wants them. */
  isMore?: boolean;
}

/** One statement under way. */
export class PgCall implements PgQuery {
  #statement: Statement;
  #answer: Answer;
  #onError: (error: Error) => void;
  #isMore: boolean;
  #connection?: PgConnection;
  #rows: TextRow[] = [];
  #length = 0;
  #handingOver?: Promise<void>;

  /**
   * Makes a call.
   *
   * @param statement The statement and its arguments.
   * @param options Where the answer goes.
   */
  constructor(statement: Statement, options: PgCallOptions) {
    const { answer, onError, isMore = false } = options;
    this.#statement = statement;
    this.#answer = answer;
    this.#onError = onError;
    this.#isMore = isMore;
  }

  get #simple(): boolean {
    return this.#statement.args.length === 0 && !this.#answer.streamed;
  }

  /** Sends the statement. */
  submit(connection: PgConnection): void {
    const { text, args } = this.#statement;
    this.#connection = connection;
    // Of several statements the rows would run together in a stream; so it takes one only.
    if (this.#simple) return connection.query(text);
    connection.stream.cork();
    if (!this.#isMore) {
      connection.parse({ text });
      connection.bind({ values: args });
      connection.describe({ type: "P", name: "" });
    }
    const { discarded, portion = 0 } = this.#answer;
    // Without that CockroachDB takes no other statement.
    if (this.#isMore && discarded) connection.close({ type: "P", name: "" });
    else connection.execute({ rows: portion });
    connection.sync();
    connection.stream.uncork();
  }

  /** Takes the columns. */
  handleRowDescription({ fields }: PgMessage): void {
    this.#answer.startResult(
      (fields as PgField[]).map(({ name, dataTypeID }) => ({
        name,
        typeOid: dataTypeID,
      })),
    );
  }

  /** Takes a row. */
  handleDataRow({ fields }: PgMessage): void {
    const answer = this.#answer;
    if (!answer.streamed) return answer.add([fields as TextRow]);
    if (answer.discarded) return;
    const row = fields as TextRow;
    this.#rows.push(row);
    for (const cell of row) this.#length += cell?.length ?? 0;
    if (this.#isBatch) this.#handingOver ??= this.#handOver();
  }

  get #isBatch(): boolean {
    return this.#rows.length >= this.#answer.batchSize ||
      this.#length >= BATCH_LENGTH;
  }

  /** Resolves when only the last batch of the answer waits to be taken. */
  async settle(): Promise<void> {
    await this.#handingOver;
    const answer = this.#answer;
    answer.add(this.#rows);
    if (answer.suspended && this.#rows.length > 0) await answer.handOver();
  }

  async #handOver(): Promise<void> {
    const answer = this.#answer;
    const { stream } = this.#connection!;
    stream.pause();
    // More rows than one batch may have come at once.
    while (this.#isBatch && !answer.discarded) {
      answer.add(this.#rows.splice(0, answer.batchSize));
      this.#length = 0;
      await answer.handOver();
    }
    if (answer.discarded) this.#rows = [];
    this.#handingOver = undefined;
    stream.resume();
  }

  /** Learns that there are more rows. */
  handlePortalSuspended(): void {
    this.#answer.suspended = true;
  }

  /** Takes the command tag. */
  handleCommandComplete({ text = "" }: PgMessage): void {
    this.#answer.endResult(parseCommandTag(encoder.encode(text)));
  }

  /** Takes the answer to an empty statement. */
  handleEmptyQuery(): void {
    this.#answer.endResult({ command: "", rowCount: 0 });
  }

  /** Refuses `COPY … FROM STDIN`. */
  handleCopyInResponse(): void {
    this.#answer.error ??= copyRefusal("FROM STDIN", "INSERT");
    this.#connection!.sendCopyFail("not supported");
    // The server has ignored the Sync that came before.
    if (!this.#simple) this.#connection!.sync();
  }

  /** Drops the data of `COPY … TO STDOUT`, which the wire refuses: there may be none. */
  handleCopyData(): void {}

  /** Takes an error. */
  handleError(error: Error): void {
    this.#onError(error);
  }

  /** Does nothing: the wire listens for this itself. */
  handleReadyForQuery(): void {}
}
