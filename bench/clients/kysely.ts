/**
 * kysely, on the pool of `npm:pg`.
 *
 * @module
 */

import { Kysely, PostgresDialect } from "npm:kysely@0.29.9";
import pg from "npm:pg@8.23.1";
import { type Account, chunksOf, type Library } from "./client.ts";

interface Tables {
  account: Account & { id: number };
  entry: Account;
}

/** The library, with its query builder. */
export const kysely: Library = {
  name: "kysely",
  pooled: true,
  open(url, { max }) {
    const db = new Kysely<Tables>({
      dialect: new PostgresDialect({
        pool: new pg.Pool({ connectionString: url, max }),
      }),
    });
    const columns = ["id", "name", "balance", "created_at"] as const;
    return Promise.resolve({
      select: (id) =>
        db.selectFrom("account").select(columns).where("id", "=", id).execute(),
      insert: (account) =>
        db.insertInto("entry").values(account).returningAll().execute(),
      read: () => db.selectFrom("account").select(columns).execute(),
      insertMany: (accounts) =>
        Promise.all(
          chunksOf(accounts, 3).map((chunk) =>
            db.insertInto("entry").values(chunk).execute()
          ),
        ),
      close: () => db.destroy(),
    });
  },
};
