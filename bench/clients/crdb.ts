/**
 * This project's `Database`, on its default driver or a given one.
 *
 * @module
 */

import { Database, type DatabaseOptions } from "../../mod.ts";
import { type Account, type Library, SQL } from "./client.ts";

/** Makes the library of a driver. */
export function crdb(
  name: string,
  driver?: DatabaseOptions["driver"],
): Library {
  return {
    name,
    pooled: true,
    open(url, { max }) {
      const db = new Database({ url, driver, pool: { max } });
      return Promise.resolve({
        select: (id) => db.query(SQL.select, [id]),
        insert: ({ name, balance, created_at }: Account) =>
          db.query(SQL.insert, [name, balance, created_at]),
        read: () => db.query(SQL.read),
        insertMany: (accounts) =>
          db.batchInsert("entry", accounts.map((account) => ({ ...account }))),
        close: () => db.close(),
      });
    },
    makePool(url, { max }) {
      const db = new Database({ url, driver, pool: { max } });
      const { promise: end, resolve } = Promise.withResolvers<void>();
      const loans: Promise<void>[] = [];
      return {
        openOne: () =>
          new Promise<void>((opened, failed) => {
            const loan = db.withSession(() => {
              opened();
              return end;
            });
            loan.catch(failed);
            loans.push(loan);
          }),
        async close() {
          resolve();
          await Promise.all(loans);
          await db.close();
        },
      };
    },
  };
}

/** Sessions that a `Database` opens for its caller alone: what it adds to them has been paid before. */
export function crdbSession(
  name: string,
  driver?: DatabaseOptions["driver"],
): Library {
  let db: Database | undefined;
  return {
    name,
    pooled: false,
    async open(url) {
      db ??= new Database({ url, driver });
      const session = await db.openSession();
      return {
        select: (id) => session.query(SQL.select, [String(id)]),
        insert: ({ name, balance, created_at }: Account) =>
          session.query(SQL.insert, [
            ...[name, String(balance), created_at.toISOString()],
          ]),
        read: async () => (await session.query(SQL.read)).rows,
        close: () => session.close(),
      };
    },
  };
}
