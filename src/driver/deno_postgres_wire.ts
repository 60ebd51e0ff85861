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
import { cancelRequest, statementFrames } from "./requests.ts";
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

/** A wire on deno-postgres. */
export class DenoPostgresWire implements Wire {
  #parts: WireParts;

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
    return this.#parts.transport.parameters;
  }

  /** The state of the session's transaction, as of the last answer. */
  get transactionStatus(): TransactionStatus {
    return this.#parts.transport.transactionStatus;
  }

  /** Why the session can do no more work; absent while it can. */
  get lost(): DatabaseError | undefined {
    return this.#parts.transport.lost;
  }

  /** Whether the server gave the key that a cancel request needs. */
  get cancellable(): boolean {
    return this.#parts.transport.backendKey !== undefined;
  }

  /**
   * Runs a statement; what comes in goes into the answer. The driver would send one with arguments
   * as five frames, each encoded and waited for on its own, which takes as long as all else that
   * this side does for a short statement; so it is asked for an empty one, which is replaced. So is
   * one that is streamed: in this way the server takes no second statement, whose rows would run
   * together with the first one's.
   */
  async run(statement: Statement, answer: Answer): Promise<void> {
    const { client, transport } = this.#parts;
    const { text, args } = statement;
    const isPlain = args.length === 0 && !answer.streamed;
    transport.begin(answer, isPlain ? undefined : statementFrames(text, args));
    try {
      await client.queryArray(isPlain ? text : "");
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
      await stream.write(cancelRequest(transport.backendKey!));
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
