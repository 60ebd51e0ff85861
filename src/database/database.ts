/**
 * The client: one pool on one server, with queries, tables and transactions.
 *
 * @module
 */

import { grantedEnvironment, resolveConfig } from "../driver/config.ts";
import type {
  ConnectionConfig,
  Driver,
  QueryResult,
  RowBatch,
  Session,
  SessionQueryOptions,
} from "../driver/driver.ts";
import { withoutSecrets } from "../driver/shown.ts";
import { ConfigError } from "../errors.ts";
import { Attempts } from "./attempt.ts";
import { BatchQueries } from "./batches.ts";
import { whileLent } from "./lent_session.ts";
import { Observer } from "./observer.ts";
import { checkDatabase, createDatabase, dropDatabase } from "./databases.ts";
import { DEFAULT_DRIVER } from "./default_driver.ts";
import { limitsOf, type QueryOptions } from "./limits.ts";
import { checkOptions, type DatabaseOptions } from "./options.ts";
import { SessionPool } from "./pool.ts";
import { PooledStatements } from "./pooled_statements.ts";
import { checkCloseOptions, type CloseOptions } from "./pool_limits.ts";
import type { StreamQueryOptions } from "./queries.ts";
import { runWithRetries } from "./retry.ts";
import { describeServer, type ServerInfo } from "./server_info.ts";
import { Table } from "./table.ts";
import { Tokens } from "./tokens.ts";
import { Transaction } from "./transaction.ts";
import {
  checkTransactionOptions,
  type TransactionOptions,
} from "./transaction_options.ts";
import { UserTypes } from "./user_types.ts";
import type { ResultTypes } from "./values.ts";

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
export class Database extends BatchQueries {
  readonly #types: UserTypes;
  readonly #config: ConnectionConfig;
  readonly #driver: Driver;
  readonly #pool: SessionPool;
  readonly #statements: PooledStatements;
  readonly #tokens: Tokens;
  readonly #observer: Observer;
  readonly #statementTimeoutMs: number | undefined;

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
    checkOptions(options);
    const {
      pool,
      statementTimeoutMs,
      driver = DEFAULT_DRIVER,
      int8 = "auto",
      timestamps = "date",
      onQuery,
      ...connection
    } = options;
    this.#types = new UserTypes({ int8, timestamps });
    this.#config = resolveConfig(connection, grantedEnvironment());
    this.#driver = driver;
    this.#pool = new SessionPool(driver, this.#config, pool);
    this.#statements = new PooledStatements(this.#pool, this.#types, {
      openSession: () => this.openSession(),
    });
    this.#tokens = new Tokens(this, this.#pool);
    this.#observer = new Observer({ statementTimeoutMs, onQuery });
    this.#statementTimeoutMs = statementTimeoutMs;
  }

  /** Makes a client for an address, `postgresql://user:password@host:port/database?sslmode=…`. */
  static fromUrl(url: string, options: DatabaseOptions = {}): Database {
    if (typeof url !== "string") {
      throw new ConfigError(
        "Cannot make a client: the url is no string; give postgresql://…",
      );
    }
    checkOptions(options);
    return new Database({ ...options, url });
  }

  /** The types of the database, by which values are decoded. */
  protected override get types(): ResultTypes {
    return this.#types;
  }

  /** Where the client connects to. The password is not part of it, nor is a private key given as text. */
  get config(): Omit<ConnectionConfig, "password"> {
    return withoutSecrets(this.#config);
  }

  /**
   * Opens a connection now, and so finds out whether the address works.
   *
   * @throws {DatabaseError} Where it doesn't: no server, no such database, no admittance.
   */
  async connect(options: QueryOptions = {}): Promise<Database> {
    await this.withSession(
      (session) => checkDatabase(session, this.#config, options),
      options,
    );
    return this;
  }

  /**
   * Closes the connections once their users are done, 10 seconds later at most; then calls that are
   * still under way reject. Closing again does nothing.
   *
   * @param options `timeoutMs`: another limit, in milliseconds; 0 closes at once, `Infinity` waits
   * however long it takes.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    checkCloseOptions(options);
    await this.#pool.close(options);
  }

  /** The same as {@linkcode Database.close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Says what the server is. */
  async server(options: QueryOptions = {}): Promise<ServerInfo> {
    const limits = limitsOf(options);
    const { crdb_version, server_version } = await this.#pool
      .use((session) => Promise.resolve(session.parameters), limits);
    const version = crdb_version ??
      (await this.run("SELECT version()", [], limits)).rows[0][0]!;
    return describeServer(version, server_version);
  }

  /** Makes a database. */
  async createDatabase(
    name: string,
    options: QueryOptions & { ifNotExists?: boolean } = {},
  ): Promise<void> {
    await createDatabase(this, name, options);
  }

  /**
   * Drops a database.
   *
   * @param options `cascade`: `true` drops it though others are connected, where PostgreSQL would refuse;
   * `false` refuses to drop one on CockroachDB that holds anything. Without it both servers drop what
   * is in it.
   */
  async dropDatabase(
    name: string,
    options: QueryOptions & { ifExists?: boolean; cascade?: boolean } = {},
  ): Promise<void> {
    await dropDatabase(this, name, options);
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
    checkTransactionOptions(options);
    const { maxRetries = 50, signal, timeoutMs, token } = options;
    const limits = { signal, timeoutMs };
    const host = {
      acquire: () =>
        this.#pool.acquire({ ...limits, purpose: "a transaction" }),
      isCommitted: (token: string) => this.#tokens.isCommitted(token),
      timeoutMs: timeoutMs ?? this.#statementTimeoutMs,
    };
    const context = {
      types: this.#types,
      observer: this.#observer,
      openSession: () => this.openSession(),
      limits,
    };
    const attempts = new Attempts(
      host,
      (turns) => fn(new Transaction(turns, context)),
      options,
    );
    if (token !== undefined) await this.#tokens.prepare(signal);
    return await runWithRetries(attempts, { maxRetries, signal });
  }

  /** The same as {@linkcode Database.transaction}, under the name that the Python client gives it. */
  runInTransaction<T>(
    fn: (tx: Transaction) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    return this.transaction(fn, options);
  }

  /**
   * Runs `fn` on a session of the pool, as the driver gives it: values are text there. What `fn` leaves
   * under way at its end is cancelled, and what it leaves open is rolled back.
   *
   * @param options The limits of each statement that has none of its own, and of the waiting for the
   * session.
   */
  async withSession<T>(
    fn: (session: Session) => Promise<T>,
    options: QueryOptions = {},
  ): Promise<T> {
    const limits = limitsOf(options);
    const { timeoutMs = this.#statementTimeoutMs } = limits;
    return await this.#pool.use(
      whileLent(fn, { ...limits, timeoutMs }),
      limits,
    );
  }

  /**
   * Opens a session of its own, outside the pool, with the database's settings but without its
   * `statementTimeoutMs`. Close it.
   *
   * @param options The limits of the opening. Default: `connectTimeoutMs`.
   */
  async openSession(options: QueryOptions = {}): Promise<Session> {
    const { signal, timeoutMs } = limitsOf(options);
    const connectTimeoutMs = timeoutMs ?? this.#config.connectTimeoutMs;
    const config = { ...this.#config, connectTimeoutMs };
    return await this.#driver.connect(config, { signal });
  }

  /** Runs a statement on a connection of the pool. */
  protected override run(
    text: string,
    args: readonly unknown[],
    options: SessionQueryOptions,
  ): Promise<QueryResult> {
    return this.#observer.run(
      { text, args, options },
      (encoded, limits) => this.#statements.run(text, encoded, limits),
    );
  }

  /** Runs a statement on a connection of the pool and yields its rows in batches. */
  protected override runStream(
    text: string,
    args: readonly unknown[],
    options: StreamQueryOptions,
  ): AsyncIterable<RowBatch> {
    return this.#observer.stream(
      { text, args, options },
      (encoded, limits) => this.#statements.stream(text, encoded, limits),
    );
  }
}
