/**
 * Every call that a database, a transaction and a table have, by what it waits for.
 *
 * @module
 */

import type { Database } from "../../src/database/database.ts";
import type { QueryOptions } from "../../src/database/limits.ts";
import type { Table } from "../../src/database/table.ts";
import type { Transaction } from "../../src/database/transaction.ts";
import { server } from "./database.ts";

/** What most calls belong to. */
export type Queries = Database | Transaction;

/** Calls by name. */
export type Calls<Q> = Record<
  string,
  (queries: Q, options: QueryOptions) => unknown
>;

/** Calls that wait for whoever has locked the rows of `t`, and taken the key 2. */
export const ROW_CALLS: Calls<Queries> = {
  query: (q, o) => q.query("SELECT * FROM t FOR UPDATE", [], o),
  queryOne: (q, o) => q.queryOne("SELECT * FROM t FOR UPDATE", [], o),
  execute: (q, o) => q.execute("UPDATE t SET n = 9", [], o),
  stream: (q, o) => q.stream("SELECT * FROM t", [], o).next(),
  insert: (q, o) => q.insert("t", { id: 2, n: 9 }, o),
  upsert: (q, o) => q.upsert("t", { id: 1, n: 9 }, o),
  select: (q, o) => q.select("t", o),
  selectOne: (q, o) => q.selectOne("t", { ...o, where: { id: 1 } }),
  count: (q, o) => q.count("t", o),
  update: (q, o) => q.update("t", { n: 9 }, { id: 1 }, o),
  delete: (q, o) => q.delete("t", { id: 1 }, o),
  pages: (q, o) => q.pages("t", o).next(),
  batchInsert: (q, o) => q.batchInsert("t", [{ id: 2, n: 9 }], o),
  batchUpdate: (q, o) => q.batchUpdate("t", [{ id: 1, n: 9 }], o),
  batchDelete: (q, o) => q.batchDelete("t", [1], o),
};

/** The same of a table. */
export const TABLE_CALLS: Calls<Table> = {
  create: (t, o) => t.create({ id: 2, n: 9 }, o),
  read: (t, o) => t.read(1, o),
  update: (t, o) => t.update(1, { n: 9 }, o),
  delete: (t, o) => t.delete(1, o),
  list: (t, o) => t.list(o),
  count: (t, o) => t.count(o),
  exists: (t, o) => t.exists(1, o),
  upsert: (t, o) => t.upsert({ id: 1, n: 9 }, o),
  batchCreate: (t, o) => t.batchCreate([{ id: 2, n: 9 }], o),
  batchUpdate: (t, o) => t.batchUpdate([{ id: 1, n: 9 }], o),
  batchDelete: (t, o) => t.batchDelete([1], o),
  pages: (t, o) => t.pages(o).next(),
};

/** Calls that wait for whoever is making `fresh`; PostgreSQL's `t` is locked beside that. */
export const NAME_CALLS: Calls<Queries> = {
  createTable: (q, o) => q.createTable("fresh", { id: "INT4 PRIMARY KEY" }, o),
  dropTable: (q, o) =>
    q.dropTable(server.kind === "postgresql" ? "t" : "fresh", o),
  exists: (q, o) => q.exists("fresh", o),
};

/** The name of a database that nobody has made yet. */
export const FRESH_DATABASE = `crdb_limits_${crypto.randomUUID().slice(0, 8)}`;

/** Calls that wait for whoever is making {@linkcode FRESH_DATABASE}. */
export const DATABASE_CALLS: Calls<Database> = {
  createDatabase: (db, o) => db.createDatabase(FRESH_DATABASE, o),
  dropDatabase: (db, o) =>
    db.dropDatabase(FRESH_DATABASE, { ...o, cascade: true, ifExists: true }),
};

/** Calls that wait for nothing but a connection. */
export const SESSION_CALLS: Calls<Database> = {
  connect: (db, o) => db.connect(o),
  server: (db, o) => db.server(o),
  withSession: (db, o) => db.withSession(() => Promise.resolve(), o),
};

/** A call that needs no connection of the pool. */
const OPEN_CALLS: Calls<Database> = {
  openSession: (db, o) => db.openSession(o),
};

/** The calls of a database and of a transaction, and of their tables. */
export const SHARED: Calls<Queries> = {
  ...ROW_CALLS,
  ...NAME_CALLS,
  ...ofTable(TABLE_CALLS),
};
/** The calls that only a database has. */
export const OWN: Calls<Database> = {
  ...DATABASE_CALLS,
  ...SESSION_CALLS,
  ...OPEN_CALLS,
};

/** The calls of a table as calls of what it belongs to. */
export function ofTable(calls: Calls<Table>): Calls<Queries> {
  return Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [
      `table.${name}`,
      (queries, options) => call(queries.table("t"), options),
    ]),
  );
}
