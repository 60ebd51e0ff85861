/**
 * The transport under deno-postgres: it carries the frames between the driver and the server, and
 * keeps for itself what the driver would lose.
 *
 * The driver sees a connection on which only the frames arrive that decide its next step: errors, and
 * "ready for query". Rows, columns, command tags, notices, parameters and the whole log-in are read
 * here. An end of the stream is an error wherever it comes, and after it nothing waits.
 *
 * @module
 */

import { settledWithin } from "../delay.ts";
import { DatabaseError } from "../errors.ts";
import type { Answer } from "./answer.ts";
import type { WireFields } from "./driver.ts";
import { FrameBuffer } from "./frame_buffer.ts";
import { isForDriver, isPlausible, LET_IN, type Phase } from "./frame_types.ts";
import { decodeRows, FRAME, HEADER_LENGTH, parseFields } from "./frames.ts";
import { Ledger } from "./ledger.ts";
import { LogIn } from "./log_in.ts";
import {
  abandoned,
  CLOSED,
  copyRefusal,
  foreignEncoding,
  hangUp,
  protocolBreach,
} from "./loss.ts";
import { type DriverConn, Outbox } from "./outbox.ts";
import { Pace } from "./pace.ts";
import { copyFail, SYNC, TERMINATE } from "./requests.ts";
import type { ByteStream } from "./socket.ts";
import { noteChange } from "./statement_names.ts";

const CLOSE_GRACE_MS = 1_000;

const ENDS_SESSION = new Set(["FATAL", "PANIC"]);

const NOTHING = new Uint8Array();

/** Carries one session's frames. */
export class Transport {
  /** The connection that the driver sees. */
  readonly conn: DriverConn;
  /** What is kept of what the server says. */
  readonly ledger: Ledger = new Ledger();
  /** Why the session can do no more work. */
  lost?: DatabaseError;

  #stream: ByteStream;
  #outbox: Outbox;
  #logIn: LogIn;
  #answer?: Answer;
  #synced = false;
  #loggedIn = false;
  #buffer = new FrameBuffer();
  /** The driver is let in at once: what it does then is done while the server logs in. */
  #served: Uint8Array = LET_IN;
  #filling?: Promise<void>;
  #answering?: Promise<void>;
  #pace = new Pace();

  /**
   * Puts the transport on a connection.
   *
   * @param stream The connection, on which nothing was said yet.
   * @param startup What is sent now, in place of the driver's own first frame.
   * @param logIn Answers what the server asks for then. Default: without a password.
   */
  constructor(
    stream: ByteStream,
    startup: Uint8Array,
    logIn: LogIn = new LogIn({ user: "" }),
  ) {
    this.#stream = stream;
    this.#logIn = logIn;
    const outbox = this.#outbox = new Outbox(stream);
    outbox.sendInstead(startup);
    this.conn = {
      read: (buffer) => this.#serve(buffer),
      writable: { getWriter: () => outbox },
      close: () => {},
    };
  }

  /**
   * Starts a call: what comes in belongs to its answer.
   *
   * @param answer Where to put it.
   * @param request What to send now, in place of the driver's next frame, with a Sync at its end;
   * without it the driver's own is sent.
   */
  begin(answer: Answer, request?: Uint8Array): void {
    this.#answer = answer;
    answer.ready = false;
    this.#synced = request !== undefined;
    if (request !== undefined) this.#outbox.sendInstead(request);
    this.#stream.hold(true);
  }

  /**
   * Answers what the server asks for, until it is ready or refuses. What it says of itself goes into
   * the answer that was begun.
   *
   * @throws {DatabaseError} Where it refuses, or there is no way to answer it.
   * @throws {Error} Where it is ready without having let the session in.
   */
  async logIn(): Promise<void> {
    await this.#next();
    this.#served = NOTHING;
    if (!this.#loggedIn) throw this.lost ?? abandoned("the log-in failed");
    this.#logIn.checkDone();
  }

  /** Ends a call. From here on the connection is watched for the server's good-bye. */
  finish(): void {
    this.#answer = undefined;
    if (this.lost !== undefined) return;
    this.#stream.hold(false);
    this.#watch();
  }

  /**
   * Gives the session up and closes the connection. Of several reasons the first one counts.
   *
   * @param reason Why.
   */
  lose(reason: DatabaseError): void {
    if (this.lost !== undefined) return;
    this.lost = reason;
    this.#answer?.discard();
    this.#stream.close();
  }

  /** Says good-bye and closes the connection. Never rejects, and takes a second at most. */
  async close(): Promise<void> {
    if (this.lost !== undefined) return;
    this.lost = CLOSED;
    this.#stream.hold(true);
    this.#answer?.discard();
    await settledWithin(CLOSE_GRACE_MS, this.#outbox.send(TERMINATE));
    this.#stream.close();
    await this.#filling;
  }

  #serve(buffer: Uint8Array): Promise<number> {
    return this.#served.length > 0
      ? Promise.resolve(this.#copy(buffer))
      : this.#next().then(() => this.#copy(buffer));
  }

  #copy(buffer: Uint8Array): number {
    const length = Math.min(buffer.length, this.#served.length);
    buffer.set(this.#served.subarray(0, length));
    this.#served = this.#served.subarray(length);
    return length;
  }

  /** Goes on to the next frame that is meant for the driver. */
  async #next(): Promise<void> {
    while (this.#served.length === 0) {
      if (this.lost !== undefined) throw this.lost;
      const answer = this.#answer;
      if (answer?.room === 0) {
        await answer.handOver();
      } else if (this.#answering !== undefined) {
        await this.#answering;
      } else if (!this.#takeFrame()) await this.#fill();
    }
  }

  /** Takes the next frame, or rows, out of the buffer; false where there is no whole one. */
  #takeFrame(): boolean {
    const { type, length } = this.#buffer;
    if (length === undefined) return false;
    if (!isPlausible(type, length, this.#phase)) {
      this.lose(protocolBreach(this.#loggedIn));
      return true;
    }
    try {
      if (type === FRAME.dataRow) return this.#takeRows();
      const frame = this.#buffer.take(length);
      if (frame === undefined) return false;
      const body = frame.subarray(HEADER_LENGTH);
      this.#keep(type, body);
      if (type === FRAME.authentication) {
        this.#answering = this.#authenticate(body);
      } else if (isForDriver(type)) this.#served = frame;
    } catch (error) {
      this.lose(protocolBreach(this.#loggedIn, error));
    }
    return true;
  }

  /** Answers what the server asks for. */
  async #authenticate(request: Uint8Array): Promise<void> {
    try {
      const reply = await this.#logIn.answer(request);
      if (reply !== undefined) this.#outbox.send(reply);
    } catch (error) {
      const isOurs = error instanceof DatabaseError;
      this.lose(isOurs ? error : abandoned("the log-in failed", error));
    }
    this.#answering = undefined;
  }

  get #phase(): Phase {
    if (!this.#loggedIn) return "log-in";
    return this.#answer === undefined ? "idle" : "call";
  }

  #takeRows(): boolean {
    const { rows, end } = decodeRows(this.#buffer.rest, this.#answer!.room);
    this.#buffer.take(end);
    this.#answer!.add(rows, end);
    return end > 0;
  }

  #keep(type: number, body: Uint8Array): void {
    this.ledger.note(type, body, this.#answer);
    switch (type) {
      case FRAME.ready:
        this.#loggedIn = true;
        break;
      case FRAME.error:
        this.#fail(parseFields(body));
        break;
      case FRAME.parameterStatus:
        if (this.#loggedIn) this.#heed(this.ledger.parameters);
        break;
      case FRAME.copyIn:
        this.#fail(copyRefusal("FROM STDIN", "INSERT"));
        this.#outbox.send(copyFail("not supported"));
        // The server has ignored the Sync that came before.
        if (this.#synced) this.#outbox.send(SYNC);
        break;
      case FRAME.copyOut:
        this.#fail(copyRefusal("TO STDOUT", "SELECT"));
        break;
    }
  }

  #heed(parameters: Readonly<Record<string, string>>): void {
    noteChange();
    const breach = foreignEncoding(parameters);
    if (breach !== undefined) this.lose(breach);
  }

  #fail(fields: WireFields): void {
    if (this.#answer !== undefined) this.#answer.error ??= fields;
    // It is the server's last word, whether or not it hangs up at once.
    if (ENDS_SESSION.has(fields.severity)) this.lose(new DatabaseError(fields));
  }

  /** Between calls a server may send news of itself, or its good-bye. */
  #watch(): void {
    while (this.#answer === undefined && this.lost === undefined) {
      if (this.#takeFrame()) this.#served = NOTHING;
      else return void this.#fill();
    }
  }

  #fill(): Promise<void> {
    return this.#filling ??= this.#readMore();
  }

  async #readMore(): Promise<void> {
    let count: number | null = null;
    let cause: unknown;
    try {
      count = await this.#stream.read(this.#buffer.room());
      const pause = this.#pace.pause(count ?? 0);
      if (pause !== undefined) await pause;
    } catch (error) {
      cause = error;
    }
    this.#filling = undefined;
    if (count !== null) this.#buffer.added(count);
    else if (this.lost === undefined) this.lose(hangUp(cause));
    this.#watch();
  }
}
