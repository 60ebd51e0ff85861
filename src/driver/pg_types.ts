/**
 * The part of `npm:pg` that the adapter uses, as narrow interfaces: types only. The package brings
 * no types of its own.
 *
 * @module
 */

/** The socket under a connection, of `node:net` or `node:tls`. */
export interface PgStream {
  /** Sends bytes. */
  write(bytes: Uint8Array): void;
  /** Holds writes back until `uncork()`. */
  cork(): void;
  /** Sends what was held back. */
  uncork(): void;
  /** Stops to read. */
  pause(): void;
  /** Reads again. */
  resume(): void;
  /** Closes the socket at once. */
  destroy(): void;
  /** Listens. */
  on(event: string, listener: (...values: unknown[]) => void): unknown;
}

/** A message of the server, as `pg` reads it. */
export interface PgMessage {
  /** The transaction's state, in ReadyForQuery. */
  status?: string;
  /** The command tag, in CommandComplete. */
  text?: string;
  /** The columns in RowDescription; the cells in DataRow. */
  fields?: unknown[];
  /** The name in ParameterStatus. */
  parameterName?: string;
  /** The value in ParameterStatus. */
  parameterValue?: string;
}

/** A column in RowDescription. */
export interface PgField {
  /** The column's name. */
  name: string;
  /** The OID of its type. */
  dataTypeID: number;
}

/** A connection: it speaks the protocol, and knows nothing of queries. */
export interface PgConnection {
  /** The socket; another one once TLS has started. */
  stream: PgStream;
  /** Opens the socket, to a port and a host or to the path of a Unix socket. */
  connect(portOrPath: number | string, host?: string): void;
  /** Asks the server for TLS. */
  requestSsl(): void;
  /** Sends the first frame of a session. */
  startup(): void;
  /** Sends a cancel request. */
  cancel(processId: number, secretKey: number): void;
  /** Reads messages from the socket. */
  attachListeners(stream: Pick<PgStream, "on">): void;
  /** Sends a simple query. */
  query(text: string): void;
  /** Sends Parse. */
  parse(options: { text: string }): void;
  /** Sends Bind. */
  bind(options: { values: readonly (string | null)[] }): void;
  /** Sends Describe. */
  describe(options: { type: "P"; name: string }): void;
  /** Sends Execute; 0 rows are all of them. */
  execute(options: { rows: number }): void;
  /** Sends Close. */
  close(options: { type: "P"; name: string }): void;
  /** Sends Sync. */
  sync(): void;
  /** Refuses to send the data of `COPY … FROM STDIN`. */
  sendCopyFail(reason: string): void;
  /** Tells listeners. */
  emit(event: "error", error: Error): unknown;
  /** Listens. */
  on(event: string, listener: (message: PgMessage) => void): unknown;
  /** Listens for an error. */
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** What the client asks of a query of one's own, as `npm:pg-cursor` is one. */
export interface PgQuery {
  /** Sends the query. */
  submit(connection: PgConnection): void;
  /** Takes the columns. */
  handleRowDescription(message: PgMessage): void;
  /** Takes a row. */
  handleDataRow(message: PgMessage): void;
  /** Goes on after a part of the rows. */
  handlePortalSuspended(): void;
  /** Takes the command tag. */
  handleCommandComplete(message: PgMessage): void;
  /** Takes the answer to an empty statement. */
  handleEmptyQuery(): void;
  /** Answers the request for data. */
  handleCopyInResponse(): void;
  /** Takes data of `COPY … TO STDOUT`. */
  handleCopyData(): void;
  /** Takes an error of the server's or of the connection. */
  handleError(error: Error): void;
  /** Learns that the server is ready. */
  handleReadyForQuery(): void;
}

/** A client: a connection, the log-in, and one query at a time. */
export interface PgClient {
  /** The connection. */
  connection: PgConnection;
  /** Whether results are asked for in binary. */
  binary: boolean;
  /** The server process, for a cancel request. */
  processID: number | null;
  /** Its secret, for a cancel request. */
  secretKey: number | null;
  /** Connects and logs in. */
  connect(): Promise<unknown>;
  /** Runs a query. */
  query(query: PgQuery): void;
  /** Says good-bye; resolves when the connection is closed. */
  end(): Promise<void>;
  /** Lets the socket keep the process alive. */
  ref(): void;
  /** Lets the process end while the socket is open. */
  unref(): void;
  /** Listens. */
  on(
    event: "error" | "notice",
    listener: (error: Error) => void,
  ): unknown;
  /** Listens. */
  on(event: "end", listener: () => void): unknown;
}

/** The package's exports. */
export interface Pg {
  /** Makes a client. */
  Client: new (options: Record<string, unknown>) => PgClient;
  /** Makes a connection. */
  Connection: new (options: Record<string, unknown>) => PgConnection;
}
