/**
 * One statement on `npm:pg`, as a query of our own: the way in which `npm:pg-cursor` is one. What
 * the server sends goes into the answer as it is, in text; a streamed answer is asked for in parts,
 * so that the server waits for a slow reader.
 *
 * @module
 */

import type { Answer } from "./answer.ts";
import type { TextRow } from "./driver.ts";
import { parseCommandTag } from "./frames.ts";
import type { PgConnection, PgField, PgMessage, PgQuery } from "./pg_types.ts";
import type { Statement } from "./session.ts";

const encoder = new TextEncoder();
const PORTAL = { type: "P", name: "" } as const;

/** Options of a {@linkcode PgCall}. */
export interface PgCallOptions {
  /** Where to put what comes in. */
  answer: Answer;
  /** Takes an error of the server's or of the connection. */
  onError: (error: Error) => void;
}

/** One statement under way. */
export class PgCall implements PgQuery {
  /** Whether the server waits to be asked for more rows. */
  waiting = false;

  #statement: Statement;
  #answer: Answer;
  #onError: (error: Error) => void;
  #connection?: PgConnection;

  /**
   * Makes a call.
   *
   * @param statement The statement and its arguments.
   * @param options Where the answer goes.
   */
  constructor(statement: Statement, options: PgCallOptions) {
    const { answer, onError } = options;
    this.#statement = statement;
    this.#answer = answer;
    this.#onError = onError;
  }

  /** Sends the statement. */
  submit(connection: PgConnection): void {
    const { text, args } = this.#statement;
    const { streamed, batchSize } = this.#answer;
    this.#connection = connection;
    if (args.length === 0 && !streamed) return connection.query(text);
    connection.stream.cork();
    connection.parse({ text });
    connection.bind({ values: args });
    connection.describe(PORTAL);
    connection.execute({ rows: streamed ? batchSize : 0 });
    this.#endPart();
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
    this.#answer.add([fields as TextRow]);
  }

  /** Hands the rows over, and asks for more when they were taken. */
  async handlePortalSuspended(): Promise<void> {
    const answer = this.#answer;
    const connection = this.#connection!;
    this.waiting = true;
    await answer.handOver();
    this.waiting = false;
    if (answer.discarded) {
      connection.close(PORTAL);
      connection.sync();
      return;
    }
    connection.execute({ rows: answer.batchSize });
    this.#endPart();
  }

  /** Takes the command tag. */
  handleCommandComplete({ text = "" }: PgMessage): void {
    this.#answer.endResult(parseCommandTag(encoder.encode(text)));
    this.#endStream();
  }

  /** Takes the answer to an empty statement. */
  handleEmptyQuery(): void {
    this.#answer.endResult({ command: "", rowCount: 0 });
    this.#endStream();
  }

  /** Refuses `COPY … FROM STDIN`. */
  handleCopyInResponse(): void {
    this.#refuseCopy("FROM STDIN", "INSERT");
    this.#connection!.sendCopyFail("not supported");
  }

  /** Refuses `COPY … TO STDOUT`, and drops its data. */
  handleCopyData(): void {
    this.#refuseCopy("TO STDOUT", "SELECT");
  }

  /** Takes an error. */
  handleError(error: Error): void {
    this.#onError(error);
    this.#endStream();
  }

  /** Does nothing: the wire listens for this itself. */
  handleReadyForQuery(): void {}

  #refuseCopy(form: string, instead: string): void {
    this.#answer.error ??= {
      severity: "ERROR",
      code: "0A000",
      message: `Cannot COPY ${form} through this client; use ${instead}`,
    };
  }

  /** A Flush asks for what there is; only a Sync ends the statement, and with it the portal. */
  #endPart(): void {
    if (this.#answer.streamed) this.#connection!.flush();
    else this.#connection!.sync();
  }

  #endStream(): void {
    if (this.#answer.streamed) this.#connection!.sync();
  }
}
