/**
 * What a session needs of deno-postgres: the client leads the conversation, the transport under it
 * keeps what is said.
 *
 * @module
 */

import type { Answer } from "./answer.ts";
import type { TransactionStatus } from "./driver.ts";
import type { DatabaseError } from "../errors.ts";
import { abandoned } from "./loss.ts";
import {
  cancelRequest,
  CLOSE_PORTAL,
  moreFrames,
  statementFrames,
} from "./requests.ts";
import { type StatementName, StatementNames } from "./statement_names.ts";
import type { Statement, Wire } from "./session.ts";
import type { ByteStream } from "./socket.ts";
import type { Transport } from "./transport.ts";

/** The part of deno-postgres' `Client` that runs statements. */
export interface StatementClient {
  /** Sends a statement and resolves when the server is ready for the next one. */
  queryArray(text: string): Promise<unknown>;
}

/** What a {@linkcode DenoPostgresWire} stands on. */
export interface WireParts {
  /** The client, logged in. */
  client: StatementClient;
  /** The transport under it. */
  transport: Transport;
  /** Opens another connection to the same server, for a cancel request. */
  open: (signal: AbortSignal) => Promise<ByteStream>;
}

const MEMORY_LENGTH = 2 * 1024;

/** What may come of a name's age: errors of values, names, types and features. */
const OF_AGE = /^(?:0A|22|26|42|08P01)/;
const NO_SUCH_STATEMENT = "26000";

/** A wire on deno-postgres. */
export class DenoPostgresWire implements Wire {
  #parts: WireParts;
  #names = new StatementNames();
  /** Is free again once a statement was answered: the server has read all of it then. */
  #memory?: Uint8Array<ArrayBuffer>;

  /**
   * Puts a wire together.
   *
   * @param parts What it stands on.
   */
  constructor(parts: WireParts) {
    this.#parts = parts;
  }

  /** What the server reported of itself. */
  get parameters(): Readonly<Record<string, string>> {
    return this.#parts.transport.ledger.parameters;
  }

  /** The state of the session's transaction, as of the last answer. */
  get transactionStatus(): TransactionStatus {
    return this.#parts.transport.ledger.transactionStatus;
  }

  /** Why the session can do no more work; absent while it can. */
  get lost(): DatabaseError | undefined {
    return this.#parts.transport.lost;
  }

  /** Whether the server gave the key that a cancel request needs. */
  get cancellable(): boolean {
    return this.#parts.transport.ledger.backendKey !== undefined;
  }

  /**
   * Runs a statement; what comes in goes into the answer. The driver would send one with arguments
   * as five frames, each encoded and waited for on its own, which takes as long as all else that
   * this side does for a short statement; so it is asked for an empty one, which is replaced. So is
   * one that is streamed: in this way the server takes no second statement, whose rows would run
   * together with the first one's.
   */
  async run(statement: Statement, answer: Answer): Promise<void> {
    const { text, args } = statement;
    if (answer.streamed) return await this.#stream(statement, answer);
    if (args.length === 0) return await this.#exchange(answer, text);
    // In a transaction an outdated name would be the end of it.
    const named = this.transactionStatus === "idle"
      ? this.#names.use(text, args)
      : undefined;
    await this.#exchange(answer, "", this.#frames(statement, named));
    if (named === undefined || this.lost !== undefined) return;
    if (!this.#isOutdated(answer)) return;
    if (answer.error?.code === NO_SUCH_STATEMENT) this.#names.stop();
    else this.#names.forget();
    answer.restart();
    await this.#exchange(answer, "", this.#frames(statement));
  }

  async #stream({ text, args }: Statement, answer: Answer): Promise<void> {
    const { portion = 0 } = answer;
    let request = statementFrames(text, args, { portion });
    do {
      answer.suspended = false;
      await this.#exchange(answer, "", request);
      request = answer.discarded ? CLOSE_PORTAL : moreFrames(portion);
    } while (answer.suspended && this.lost === undefined);
  }

  /**
   * Whether a named statement has failed for what has changed since. PostgreSQL finds that out before
   * it runs anything; CockroachDB at any time, and undoes what it did.
   */
  #isOutdated({ error, bound }: Answer): boolean {
    if (error === undefined || !OF_AGE.test(error.code)) return false;
    return !bound || this.parameters.crdb_version !== undefined;
  }

  #frames(
    { text, args }: Statement,
    named?: StatementName,
  ): Uint8Array<ArrayBuffer> {
    const outdated = this.#names.takeOutdated();
    return statementFrames(text, args, {
      ...named,
      outdated,
      memory: this.#memory ??= new Uint8Array(MEMORY_LENGTH),
    });
  }

  /** Sends a text as deno-postgres does, or a request in its place. */
  async #exchange(
    answer: Answer,
    text: string,
    request?: Uint8Array,
  ): Promise<void> {
    const { client, transport } = this.#parts;
    transport.begin(answer, request);
    try {
      await client.queryArray(text);
    } catch (error) {
      // Without an error of the server's, the client gave up in the middle of an answer.
      if (answer.error === undefined) {
        transport.lose(abandoned("the driver lost its place", error));
      }
    }
    transport.finish();
  }

  /** Sends a cancel request; resolves when the server has hung up. */
  async cancel(signal: AbortSignal): Promise<void> {
    const { transport, open } = this.#parts;
    const stream = await open(signal);
    const abort = () => stream.close();
    signal.addEventListener("abort", abort);
    try {
      await stream.write(cancelRequest(transport.ledger.backendKey!));
      while (await stream.read(new Uint8Array(64)) !== null);
    } finally {
      signal.removeEventListener("abort", abort);
      stream.close();
    }
  }

  /** Gives the session up and closes the connection. */
  lose(reason: DatabaseError): void {
    this.#parts.transport.lose(reason);
  }

  /** Says good-bye and closes the connection; never rejects. */
  close(): Promise<void> {
    return this.#parts.transport.close();
  }
}
