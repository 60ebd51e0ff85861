/**
 * The seam between `crdb` and a PostgreSQL wire driver: interfaces only.
 *
 * Rows cross it as text, so that every driver's values are decoded by the same code, and an
 * adapter holds nothing but the protocol. Everything that an adapter throws is one of the classes
 * of `errors.ts`.
 *
 * @module
 */

/** How a connection is protected, with libpq's meaning of the words. */
export type SslMode =
  | "disable"
  | "allow"
  | "prefer"
  | "require"
  | "verify-ca"
  | "verify-full";

/** The protection of a connection, and the files that it needs. */
export interface TlsConfig {
  /** Whether TLS is used and what is verified. */
  readonly mode: SslMode;
  /** A path, PEM text, or `"system"` for the authorities that the runtime trusts. */
  readonly rootCert?: string;
  /** The client's certificate: a path or PEM text. */
  readonly cert?: string;
  /** The client's private key: a path or PEM text. */
  readonly key?: string;
}

/** Everything that an adapter needs to open one session. */
export interface ConnectionConfig {
  /** A host name, an address, or the absolute folder of a Unix socket. */
  readonly host: string;
  /** The port; with a Unix socket it is part of the socket's name. */
  readonly port: number;
  /** The database to open. */
  readonly database: string;
  /** The user to log in as. */
  readonly user: string;
  /** The password, where the server asks for one. */
  readonly password?: string;
  /** What the server shows as the session's application. */
  readonly applicationName: string;
  /** Settings sent while the session starts (`cluster` names a tenant of CockroachDB Cloud). */
  readonly sessionSettings: Readonly<Record<string, string>>;
  /** How the connection is protected. */
  readonly tls: TlsConfig;
  /** The limit for opening a session, log-in included, in milliseconds. */
  readonly connectTimeoutMs: number;
}

/** A column of a result. */
export interface Column {
  /** The column's name, as the server gives it. */
  readonly name: string;
  /** The OID of the column's type. */
  readonly typeOid: number;
}

/** A row as the server sent it: one text a column, `null` for NULL. */
export type TextRow = (string | null)[];

/** The fields of an error or notice, as the wire carries them. */
export interface WireFields {
  /** `ERROR`, `FATAL`, `PANIC`, `WARNING`, `NOTICE`, `INFO`, … */
  readonly severity: string;
  /** The SQLSTATE. */
  readonly code: string;
  /** The primary message. */
  readonly message: string;
  /** A second sentence with particulars. */
  readonly detail?: string;
  /** What to do about it. */
  readonly hint?: string;
  /** The 1-based position in the statement, in characters. */
  readonly position?: number;
  /** The schema that the error is about. */
  readonly schema?: string;
  /** The table that the error is about. */
  readonly table?: string;
  /** The column that the error is about. */
  readonly column?: string;
  /** The data type that the error is about. */
  readonly dataType?: string;
  /** The constraint that the error is about. */
  readonly constraint?: string;
  /** Where in the server the error arose (call stack of PL/pgSQL and the like). */
  readonly where?: string;
  /** A statement that the server made itself, such as a function's, where the error is in that. */
  readonly internalQuery?: string;
  /** The 1-based position in that statement, in characters. */
  readonly internalPosition?: number;
  /** The file of the server's source that reported the error. */
  readonly file?: string;
  /** The line of that file. */
  readonly line?: number;
  /** The routine of the server's source. */
  readonly routine?: string;
}

/** What a statement answered. Of several statements in one text, the last one's. */
export interface QueryResult {
  /** The columns; empty where the statement returns no rows. */
  readonly columns: readonly Column[];
  /** The rows, in text. */
  readonly rows: TextRow[];
  /** The command tag's words, such as `INSERT` or `CREATE TABLE`; `""` for an empty statement. */
  readonly command: string;
  /** The number of rows affected or returned; 0 where the command tag has none. */
  readonly rowCount: number;
  /** Notices and warnings that came with the answer. */
  readonly notices: readonly WireFields[];
}

/** A part of a streamed result. */
export interface RowBatch {
  /** The columns. */
  readonly columns: readonly Column[];
  /** Some of the rows, in text; never empty. */
  readonly rows: TextRow[];
}

/** Limits of one call. */
export interface CallOptions {
  /** Cancels the statement on the server when it fires. */
  readonly signal?: AbortSignal;
  /** Cancels the statement on the server after this many milliseconds. */
  readonly timeoutMs?: number;
}

/** Limits of a statement on a session, for which its call may have waited. */
export interface StatementOptions extends CallOptions {
  /** When the time of `timeoutMs` began, by `performance.now()`. Default: now. */
  readonly since?: number;
}

/**
 * Takes the rows of an answer while the rest of it is still to come: what is done with them takes no
 * time of its own then. Its methods never throw.
 */
export interface RowSink {
  /** Begins a result. Of several statements in one text each has one. */
  start(columns: readonly Column[]): void;
  /** Takes some rows of it. */
  add(rows: readonly TextRow[]): void;
  /** Ends it: the statement is done. */
  end?(): void;
}

/** Options of {@linkcode Session.query}. */
export interface SessionQueryOptions extends StatementOptions {
  /** Takes the rows, which the result is then without, where the session takes sinks. */
  readonly sink?: RowSink;
}

/** Options of {@linkcode Session.stream}. */
export interface StreamOptions extends StatementOptions {
  /** How many rows a batch holds at most; fewer where they come to 1 MiB. Default: 200. */
  readonly batchSize?: number;
  /** Is called when the session is free again, or lost, even while the last batches wait to be taken. */
  readonly onEnd?: () => void;
}

/** What the server last said of the session's transaction. */
export type TransactionStatus = "idle" | "open" | "failed";

/** One session on a server. It does one thing at a time: callers take turns. */
export interface Session {
  /** What the server reported of itself, such as `server_version` and `crdb_version`. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Whether the session can do no more work; it never recovers. */
  readonly broken: boolean;
  /** The state of the session's transaction, as of the last answer. */
  readonly transactionStatus: TransactionStatus;
  /** Whether a statement is under way, or a stream that wasn't read to its end. Default: neither. */
  readonly busy?: boolean;
  /** Whether it gives rows to a {@linkcode RowSink}. Default: all rows are in the result. */
  readonly takesSinks?: boolean;
  /**
   * Runs a statement. Without arguments the text may hold several statements.
   *
   * @throws {DatabaseError} What the server said, or that the connection was lost.
   */
  query(
    text: string,
    args?: readonly (string | null)[],
    options?: SessionQueryOptions,
  ): Promise<QueryResult>;
  /**
   * Runs one statement and yields its rows in batches, reading from the server only as fast as
   * they are taken. Ending the loop early frees the session.
   */
  stream(
    text: string,
    args?: readonly (string | null)[],
    options?: StreamOptions,
  ): AsyncIterable<RowBatch>;
  /**
   * Asks the server, on a connection of its own, to cancel the statement under way; resolves when the
   * session is free again, or lost.
   */
  cancel(): Promise<void>;
  /** Ends the session; never rejects. */
  close(): Promise<void>;
}

/** Opens sessions. */
export interface Driver {
  /** The name that messages and `--driver` use. */
  readonly name: string;
  /**
   * Opens a session. Settles within `connectTimeoutMs`, and soon once the signal fires.
   *
   * @throws {DatabaseError} Where the server refused or wasn't reached within the limit.
   */
  connect(
    config: ConnectionConfig,
    options?: { signal?: AbortSignal },
  ): Promise<Session>;
}
