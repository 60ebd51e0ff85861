/**
 * `npm:postgres`, also known as postgres.js.
 *
 * @module
 */

import postgres from "npm:postgres@3.4.9";
import { type Account, chunksOf, type Library } from "./client.ts";

/** The library, with its defaults: it keeps statements prepared on the server. */
export const postgresJs: Library = {
  name: "postgres.js",
  pooled: true,
  open(url, { max }) {
    const sql = postgres(url, { max, onnotice: () => {} });
    return Promise.resolve({
      select: (id) =>
        sql`SELECT id, name, balance, created_at FROM account WHERE id = ${id}`,
      insert: ({ name, balance, created_at }: Account) =>
        sql`INSERT INTO entry (name, balance, created_at)
            VALUES (${name}, ${balance}, ${created_at})
            RETURNING id, name, balance, created_at`,
      read: async () =>
        await sql`SELECT id, name, balance, created_at FROM account`,
      insertMany: (accounts) =>
        Promise.all(
          chunksOf(accounts, 3).map((chunk) =>
            sql`INSERT INTO entry ${
              sql(
                chunk as unknown as Record<string, string>[],
                "name",
                "balance",
                "created_at",
              )
            }`
          ),
        ),
      close: () => sql.end(),
    });
  },
  makePool(url, { max }) {
    const sql = postgres(url, { max, onnotice: () => {} });
    const reserved: { release(): void }[] = [];
    return {
      async openOne() {
        reserved.push(await sql.reserve());
      },
      close() {
        for (const one of reserved) one.release();
        return sql.end();
      },
    };
  },
};
