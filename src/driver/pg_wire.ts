/**
 * The wire of a session on `npm:pg`: one client, what the server reports on the side, and the end of
 * it all.
 *
 * @module
 */

import { settledWithin } from "../delay.ts";
import { DatabaseError } from "../errors.ts";
import { Answer } from "./answer.ts";
import type { ConnectionConfig, TransactionStatus } from "./driver.ts";
import { passwordMissing } from "./log_in.ts";
import { FrameGuard } from "./frame_guard.ts";
import { CLOSED, copyRefusal, foreignEncoding, hangUp } from "./loss.ts";
import { PgCall } from "./pg_call.ts";
import { errorFields, isHangUp, lossError, unreadable } from "./pg_errors.ts";
import type { Pg, PgClient, PgConnection } from "./pg_types.ts";
import { startupMessage } from "./requests.ts";
import type { Statement, Wire } from "./session.ts";
import { isSocketPath } from "./socket.ts";
import { handshakeFailure, type TlsOptions } from "./tls.ts";

const CLOSE_GRACE_MS = 1_000;

const STATUS: Readonly<Record<string, TransactionStatus>> = {
  I: "idle",
  T: "open",
  E: "failed",
};

/** Options of a {@linkcode PgWire}. */
export interface PgWireOptions {
  /** The session to open. */
  config: ConnectionConfig;
  /** What is verified; without it the connection is in plain text. */
  tls?: TlsOptions;
}

/** A session's wire. */
export class PgWire implements Wire {
  /** What the server reported of itself. */
  readonly parameters: Record<string, string> = {};
  /** The state of the session's transaction, as of the last answer. */
  transactionStatus: TransactionStatus = "idle";
  /** Why the session can do no more work. */
  lost?: DatabaseError;

  #pg: Pg;
  #config: ConnectionConfig;
  #tls?: TlsOptions;
  #client: PgClient;
  #answer = new Answer();
  #ready = () => {};
  #shakesHands = false;

  /**
   * Makes a wire on which nothing was said yet.
   *
   * @param pg The package.
   * @param options The session to open.
   */
  constructor(pg: Pg, options: PgWireOptions) {
    const { config, tls } = options;
    this.#pg = pg;
    this.#config = config;
    this.#tls = tls;
    const connection = newConnection(pg, { tls, keepAlive: true });
    connection.startup = () => connection.stream.write(startupMessage(config));
    this.#client = newClient(pg, { config, tls, connection });
    this.#listen(connection);
  }

  /** Whether the server gave the key that a cancel request needs. */
  get cancellable(): boolean {
    const { processID, secretKey } = this.#client;
    return Boolean(processID || secretKey);
  }

  /** Connects and logs in. */
  async logIn(): Promise<void> {
    try {
      await this.#client.connect();
    } catch (error) {
      const fields = errorFields(error);
      if (fields === undefined) {
        const cause = isHangUp(error) ? undefined : error;
        if (this.#shakesHands) throw handshakeFailure(cause);
        throw cause ?? hangUp(undefined);
      }
      throw new DatabaseError(fields, { notices: this.#answer.notices });
    }
    this.#client.unref();
  }

  /** Runs a statement. */
  async run(statement: Statement, answer: Answer): Promise<void> {
    this.#answer = answer;
    this.#client.ref();
    let isMore = false;
    do {
      answer.suspended = answer.ready = false;
      const call = new PgCall(statement, {
        answer,
        onError: (error) => this.#fail(error),
        isMore,
      });
      await new Promise<void>((resolve) => {
        this.#ready = resolve;
        this.#client.query(call);
      });
      await call.settle();
      isMore = true;
    } while (answer.suspended && this.lost === undefined);
    if (this.lost === undefined) this.#client.unref();
  }

  /** Gives the session up and closes the connection. */
  lose(reason: DatabaseError): void {
    if (this.lost !== undefined) return;
    this.lost = reason;
    if (!this.#answer.whole) this.#answer.discard();
    this.#client.connection.stream.destroy();
    this.#ready();
  }

  /** Says good-bye and closes the connection; takes a second at most. */
  async close(): Promise<void> {
    if (this.lost !== undefined) return;
    this.lost = CLOSED;
    this.#answer.discard();
    await settledWithin(CLOSE_GRACE_MS, this.#client.end());
    this.#client.connection.stream.destroy();
    this.#ready();
  }

  /** Sends a cancel request, and waits until the server has hung up. */
  cancel(signal: AbortSignal): Promise<void> {
    const { host, port } = this.#config;
    const { processID, secretKey } = this.#client;
    const tls = this.#tls;
    const connection = newConnection(this.#pg, { tls, keepAlive: false });
    const send = () => connection.cancel(processID ?? 0, secretKey ?? 0);
    const abort = () => connection.stream.destroy();
    signal.addEventListener("abort", abort);
    // A fast answer leaves other connections hardly a turn of the event loop.
    const { stream } = this.#client.connection;
    stream.pause();
    return new Promise<void>((resolve) => {
      connection.on("connect", () => tls ? connection.requestSsl() : send());
      connection.on("sslconnect", send);
      // Whatever went wrong, an end follows.
      connection.on("error", abort);
      connection.on("end", () => resolve());
      if (isSocketPath(host)) connection.connect(`${host}/.s.PGSQL.${port}`);
      else connection.connect(port, host);
    }).finally(() => {
      signal.removeEventListener("abort", abort);
      stream.resume();
    });
  }

  #listen(connection: PgConnection): void {
    const client = this.#client;
    connection.on("sslconnect", () => {
      this.#shakesHands = true;
      connection.stream.on("secureConnect", () => this.#shakesHands = false);
    });
    connection.on("parameterStatus", ({ parameterName, parameterValue }) => {
      this.parameters[parameterName!] = parameterValue!;
      const breach = foreignEncoding(this.parameters);
      if (breach !== undefined) this.lose(breach);
    });
    connection.on("readyForQuery", ({ status }) => {
      this.transactionStatus = STATUS[status!] ?? "idle";
      this.#answer.ready = true;
      this.#ready();
    });
    // The client passes on its data alone.
    connection.on("copyOutResponse", () => {
      this.#answer.error ??= copyRefusal("TO STDOUT", "SELECT");
    });
    client.on("notice", (notice) => {
      const fields = errorFields(notice);
      if (fields !== undefined && !this.#answer.ready) {
        this.#answer.notices.push(fields);
      }
    });
    client.on("error", (error) => this.lose(lossError(error)));
    client.on("end", () => this.lose(hangUp(undefined)));
  }

  #fail(error: Error): void {
    const fields = errorFields(error);
    // An error that isn't the server's is the loss of the connection, which is told on its own.
    if (fields === undefined) return this.lose(lossError(error));
    if (!this.#answer.ready) this.#answer.error ??= fields;
    if (/^(FATAL|PANIC)/.test(fields.severity)) this.lose(lossError(error));
  }
}

interface ConnectionOptions {
  tls?: TlsOptions;
  keepAlive: boolean;
}

function newConnection(pg: Pg, options: ConnectionOptions): PgConnection {
  const { tls: ssl = false, keepAlive } = options;
  const connection = new pg.Connection({ ssl, keepAlive });
  const { attachListeners } = connection;
  // An answer that can't be read would be an error that no one can catch, and the rest of a frame
  // that is none would be waited for.
  connection.attachListeners = (stream) => {
    const guard = new FrameGuard();
    attachListeners.call(connection, {
      on: (event, listener) =>
        stream.on(event, (...values) => {
          try {
            if (event === "data") guard.check(values[0] as Uint8Array);
            listener(...values);
          } catch (error) {
            connection.emit("error", unreadable(guard.loggedIn, error));
          }
        }),
    });
  };
  return connection;
}

function newClient(
  pg: Pg,
  options: PgWireOptions & { connection: PgConnection },
): PgClient {
  const { config, tls, connection } = options;
  const { host, port, user, database, applicationName } = config;
  const client = new pg.Client({
    host,
    port,
    user,
    database,
    connection,
    ssl: tls ?? false,
    // A function, for without a password the client would look for one.
    password: () => {
      if (config.password !== undefined) return config.password;
      throw passwordMissing(user);
    },
    connectionTimeoutMillis: 0,
    // CockroachDB's default was above the client's own limit: https://www.cockroachlabs.com/docs/stable/security-reference/scram-authentication
    scramMaxIterations: 1_000_000,
    // The rest isn't used: the start-up message is ours. What is falsy would be looked up.
    application_name: applicationName || "-",
    options: "-",
    client_encoding: "utf8",
    sslnegotiation: "postgres",
    replication: "-",
    binary: true,
  });
  client.binary = false;
  return client;
}
