/**
 * The client: one pool on one server, with queries, tables and transactions.
 *
 * @module
 */

import {
  type ConnectionOptions,
  grantedEnvironment,
  resolveConfig,
} from "../driver/config.ts";
import type {
  ConnectionConfig,
  Driver,
  QueryResult,
  RowBatch,
  Session,
} from "../driver/driver.ts";
import { DatabaseError } from "../errors.ts";
import { quoteIdentifier } from "../sql.ts";
import { type PoolOptions, SessionPool } from "./pool.ts";
import {
  Queries,
  type QueryOptions,
  type StreamQueryOptions,
} from "./queries.ts";
import { Table } from "./table.ts";
import { runWithRetries } from "./retry.ts";
import {
  SessionTransaction,
  TOKEN_TABLE,
  Transaction,
  type TransactionOptions,
} from "./transaction.ts";
import { encodeArguments, type ValueOptions } from "./values.ts";

/** What a statement took; its arguments are never part of it. */
export interface QueryEvent {
  /** The SQL. */
  readonly text: string;
  /** How many arguments it had. */
  readonly argumentCount: number;
  /** How long it took, in milliseconds, the waiting for a connection included. */
  readonly durationMs: number;
  /** The number of rows affected or returned, where it succeeded. */
  readonly rowCount?: number;
  /** Why it failed, where it did. */
  readonly error?: unknown;
}

/** Options of a {@linkcode Database}. */
export interface DatabaseOptions extends ConnectionOptions {
  /** Limits of the pool. */
  pool?: PoolOptions;
  /** Cancels every statement that takes longer, in milliseconds. Default: no limit. */
  statementTimeoutMs?: number;
  /** What opens the connections. Default: deno-postgres; `pgDriver()` of `@x/crdb/pg` is another. */
  driver?: Driver;
  /** What INT8 becomes. Default: `"auto"`, a number where it is exact, else a bigint. */
  int8?: "auto" | "bigint" | "string";
  /** What TIMESTAMP and TIMESTAMPTZ become. Default: `"date"`. */
  timestamps?: "date" | "temporal" | "string";
  /** Is told of every statement when it has ended. */
  onQuery?: (event: QueryEvent) => void;
}

/** What a server is. */
export interface ServerInfo {
  /** The product. */
  kind: "cockroachdb" | "postgresql";
  /** Its version, such as `v25.2.1` or `15.18`. */
  version: string;
}

const OWN_OPTIONS = [
  "pool",
  "statementTimeoutMs",
  "driver",
  "int8",
  "timestamps",
  "onQuery",
];

/**
 * A client of CockroachDB, and of PostgreSQL.
 *
 * Nothing is opened before the first use. An idle client keeps its connections for a while, so a
 * program that is to end should {@linkcode Database.close} it, or declare it with `await using`.
 *
 * @example
 * ```ts
 * import { Database } from "@x/crdb";
 *
 * await using db = new Database();
 * const row = await db.queryOne<{ answer: number }>`SELECT ${42}::INT AS answer`;
 * console.log(row?.answer); // 42
 * ```
 */
export class Database extends Queries {
  /** How values are decoded. */
  protected override readonly values: ValueOptions;
  readonly #config: ConnectionConfig;
  readonly #options: DatabaseOptions;
  #pool: Promise<SessionPool> | undefined;
  #tokens: Promise<unknown> | undefined;

  /**
   * Makes a client; the first use connects.
   *
   * Where an option is absent, the `url` counts, then `DATABASE_URL`, then the `PG*` variables, then
   * `root@localhost:26257/defaultdb`. Variables are read only where permission was granted before.
   *
   * @throws {ConfigError} An option, address or variable that is unknown or contradicts another.
   */
  constructor(options: DatabaseOptions = {}) {
    super();
    const connection = Object.fromEntries(
      Object.entries(options).filter(([name]) => !OWN_OPTIONS.includes(name)),
    );
    this.#config = resolveConfig(connection, grantedEnvironment());
    this.#options = options;
    const { int8 = "auto", timestamps = "date" } = options;
    this.values = { int8, timestamps };
  }

  /** Makes a client for an address, `postgresql://user:password@host:port/database?sslmode=…`. */
  static fromUrl(url: string, options: DatabaseOptions = {}): Database {
    return new Database({ ...options, url });
  }

  /** Where the client connects to. The password is not part of it. */
  get config(): Omit<ConnectionConfig, "password"> {
    const { password: _, ...rest } = this.#config;
    return rest;
  }

  /** Opens a connection now, and so finds out whether the address works. */
  async connect(): Promise<Database> {
    await (await this.#open()).use(() => Promise.resolve());
    return this;
  }

  /** Closes the connections once their users are done, after 10 seconds at most. */
  async close(): Promise<void> {
    await (await this.#open()).close();
  }

  /** The same as {@linkcode Database.close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Says what the server is. */
  async server(): Promise<ServerInfo> {
    const { crdb_version, server_version } = await (await this.#open())
      .use((session) => Promise.resolve(session.parameters));
    const text = crdb_version ??
      (await this.queryOne<{ version: string }>`SELECT version()`)!.version;
    return text.startsWith("CockroachDB")
      ? { kind: "cockroachdb", version: /v\d\S*/.exec(text)?.[0] ?? text }
      : {
        kind: "postgresql",
        version: /^\S+/.exec(server_version)?.[0] ?? text,
      };
  }

  /** Makes a database. */
  async createDatabase(
    name: string,
    options: { ifNotExists?: boolean } = {},
  ): Promise<void> {
    const { ifNotExists = false } = options;
    // PostgreSQL has no IF NOT EXISTS here, and two that look first may both go on to make it.
    if (ifNotExists && await this.#databaseExists(name)) return;
    try {
      await this.execute(`CREATE DATABASE ${quoteIdentifier(name)}`);
    } catch (error) {
      const made = error instanceof DatabaseError &&
        (error.code === "42P04" || error.code === "23505");
      if (!(ifNotExists && made)) throw error;
    }
  }

  /**
   * Drops a database.
   *
   * @param options `cascade`: with everything in it, where the server would refuse (CockroachDB).
   */
  async dropDatabase(
    name: string,
    options: { ifExists?: boolean; cascade?: boolean } = {},
  ): Promise<void> {
    const { ifExists, cascade } = options;
    const tail = cascade && (await this.server()).kind === "cockroachdb"
      ? " CASCADE"
      : "";
    await this.execute(
      `DROP DATABASE ${ifExists ? "IF EXISTS " : ""}${
        quoteIdentifier(name)
      }${tail}`,
    );
  }

  /** A table by name, with methods that know its key. */
  table<T = Record<string, unknown>>(
    name: string,
    options: { key?: string } = {},
  ): Table<T> {
    return new Table<T>(this, name, options);
  }

  /**
   * Runs `fn` in a transaction, and again from its beginning where the server asks for that.
   *
   * So `fn` may run several times: whatever it does beside its queries has to bear that. It uses
   * `tx` for its queries, for those of the database itself run outside the transaction.
   *
   * @throws {AmbiguousCommitError} Where the connection was lost during COMMIT and no `token` tells
   * whether it took effect.
   */
  async transaction<T>(
    fn: (tx: Transaction) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    const { maxRetries = 50, signal, token } = options;
    const pool = await this.#open();
    if (token !== undefined) await this.#makeTokenTable();
    const host = {
      acquire: () => pool.acquire({ signal, purpose: "a transaction" }),
      isCommitted: async (token: string) =>
        (await this.count(TOKEN_TABLE, { where: { token } })) > 0,
    };
    const context = {
      values: this.values,
      observe: this.#observed.bind(this),
      signal,
    };
    const transaction: SessionTransaction<T> = new SessionTransaction(
      host,
      () => fn(new Transaction(transaction, context)),
      options,
    );
    return await runWithRetries(transaction, { maxRetries, signal });
  }

  /** The same as {@linkcode Database.transaction}, under the name that the Python client gives it. */
  runInTransaction<T>(fn: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.transaction(fn);
  }

  /** Runs `fn` on a session of the pool, as the driver gives it: values are text there. */
  async withSession<T>(fn: (session: Session) => Promise<T>): Promise<T> {
    return await (await this.#open()).use(fn);
  }

  /** Opens a session of its own, outside the pool, with the database's settings. Close it. */
  async openSession(): Promise<Session> {
    return await (await this.#driver()).connect(this.#config);
  }

  /** Runs a statement on a connection of the pool. */
  protected override run(
    text: string,
    args: readonly unknown[],
    options: QueryOptions,
  ): Promise<QueryResult> {
    return this.#observed(text, args, options, async (encoded, limits) => {
      const pool = await this.#open();
      return await pool.use((session) => session.query(text, encoded, limits), {
        signal: options.signal,
        purpose: text,
      });
    });
  }

  /** Runs a statement on a connection of the pool and yields its rows in batches. */
  protected override async *runStream(
    text: string,
    args: readonly unknown[],
    options: StreamQueryOptions,
  ): AsyncGenerator<RowBatch, void> {
    const encoded = encodeArguments(args);
    const pool = await this.#open();
    const loan = await pool.acquire({ signal: options.signal, purpose: text });
    try {
      yield* loan.session.stream(text, encoded, options);
    } finally {
      await loan.release();
    }
  }

  async #observed(
    text: string,
    args: readonly unknown[],
    options: QueryOptions,
    run: (
      encoded: (string | null)[],
      limits: QueryOptions,
    ) => Promise<QueryResult>,
  ): Promise<QueryResult> {
    const { onQuery, statementTimeoutMs } = this.#options;
    const encoded = encodeArguments(args);
    const limits =
      options.timeoutMs === undefined && statementTimeoutMs !== undefined
        ? { ...options, timeoutMs: statementTimeoutMs }
        : options;
    if (onQuery === undefined) return await run(encoded, limits);
    const start = performance.now();
    const event = { text, argumentCount: args.length };
    try {
      const result = await run(encoded, limits);
      onQuery({
        ...event,
        durationMs: performance.now() - start,
        rowCount: result.rowCount,
      });
      return result;
    } catch (error) {
      onQuery({ ...event, durationMs: performance.now() - start, error });
      throw error;
    }
  }

  #open(): Promise<SessionPool> {
    return this.#pool ??= this.#driver()
      .then((driver) =>
        new SessionPool(driver, this.#config, this.#options.pool)
      );
  }

  async #driver(): Promise<Driver> {
    return this.#options.driver ??
      (await import("../driver/deno_postgres.ts")).denoPostgresDriver();
  }

  async #databaseExists(name: string): Promise<boolean> {
    const found =
      "SELECT 1 AS found FROM pg_catalog.pg_database WHERE datname = $1";
    return await this.queryOne(found, [name]) !== undefined;
  }

  async #makeTokenTable(): Promise<void> {
    this.#tokens ??= this.createTable(TOKEN_TABLE, {
      token: "TEXT PRIMARY KEY",
      committed_at: "TIMESTAMPTZ NOT NULL DEFAULT now()",
    }, { ifNotExists: true });
    try {
      await this.#tokens;
    } catch (error) {
      this.#tokens = undefined;
      throw error;
    }
  }
}
