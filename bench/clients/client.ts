/**
 * What every library is asked to do, and the rows that it is done with.
 *
 * @module
 */

/** A row of the table `account`; it has a key of its own. */
export interface Account {
  /** TEXT. */
  name: string;
  /** FLOAT8. */
  balance: number;
  /** TIMESTAMPTZ. */
  created_at: Date;
}

/** The table that all libraries work on. */
export const ACCOUNT_TABLE = "CREATE TABLE account (" +
  "id INT8 PRIMARY KEY, name TEXT NOT NULL, balance FLOAT8 NOT NULL, " +
  "created_at TIMESTAMPTZ NOT NULL)";

/** The table that they insert into. */
export const ENTRY_TABLE = "CREATE TABLE entry (" +
  "id UUID PRIMARY KEY DEFAULT gen_random_uuid(), name TEXT NOT NULL, " +
  "balance FLOAT8 NOT NULL, created_at TIMESTAMPTZ NOT NULL)";

/** A library's client, connected. */
export interface Client {
  /** Reads one account by its key, which is bound. */
  select(id: number): Promise<unknown>;
  /** Inserts a row into `entry` and returns it. */
  insert(account: Account): Promise<unknown>;
  /** Reads all accounts, decoded, as objects. */
  read(): Promise<readonly unknown[]>;
  /** Inserts many rows into `entry`, in the library's own best way. */
  insertMany?(accounts: readonly Account[]): Promise<unknown>;
  /** Closes the connections. */
  close(): Promise<void>;
}

/** Options of {@linkcode Library.open}. */
export interface OpenOptions {
  /** The most connections. */
  max: number;
}

/** A library to be measured. */
export interface Library {
  /** The name that the tables show. */
  readonly name: string;
  /** Whether it costs so much that it is measured with fewer calls. */
  readonly slow?: boolean;
  /** Whether it has a pool. */
  readonly pooled: boolean;
  /** Makes a client; it may connect on its first use. */
  open(url: string, options: OpenOptions): Promise<Client>;
  /** Makes a pool, which opens nothing yet. */
  makePool?(url: string, options: OpenOptions): EmptyPool;
}

/** A pool that was made for its connections to be opened one by one. */
export interface EmptyPool {
  /** Opens another connection, and keeps it in use. */
  openOne(): Promise<void>;
  /** Closes the connections. */
  close(): Promise<void>;
}

/** The statements of {@linkcode Client} for libraries that take SQL. */
export const SQL = {
  select: "SELECT id, name, balance, created_at FROM account WHERE id = $1",
  insert: "INSERT INTO entry (name, balance, created_at) VALUES ($1, $2, $3) " +
    "RETURNING id, name, balance, created_at",
  read: "SELECT id, name, balance, created_at FROM account",
} as const;

/** Makes an account. */
export function accountOf(index: number): Account {
  return {
    name: `account number ${index}`,
    balance: index * 1.25,
    created_at: new Date(1_700_000_000_000 + index * 1_000),
  };
}

/** The wire counts a statement's arguments in 16 bits. */
const MAX_ARGUMENTS = 65_535;

/** Cuts rows so that a statement of `columns` arguments a row keeps to the wire's limit. */
export function chunksOf<T>(rows: readonly T[], columns: number): T[][] {
  const size = Math.floor(MAX_ARGUMENTS / columns);
  return Array.from(
    { length: Math.ceil(rows.length / size) },
    (_, index) => rows.slice(index * size, (index + 1) * size),
  );
}
