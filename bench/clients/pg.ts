/**
 * `npm:pg`: its client, and its pool.
 *
 * @module
 */

import pg from "npm:pg@8.23.1";
import { type Account, type Library, SQL } from "./client.ts";

type Queryable = Pick<InstanceType<typeof pg.Client>, "query">;

const calls = (client: Queryable) => ({
  select: async (id: number) => (await client.query(SQL.select, [id])).rows,
  insert: async ({ name, balance, created_at }: Account) =>
    (await client.query(SQL.insert, [name, balance, created_at])).rows,
  read: async () => (await client.query(SQL.read)).rows,
});

/** A single client. */
export const pgClient: Library = {
  name: "pg, Client",
  pooled: false,
  async open(url) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return { ...calls(client), close: () => client.end() };
  },
};

/** The pool. */
export const pgPool: Library = {
  name: "pg, Pool",
  pooled: true,
  open(url, { max }) {
    const pool = new pg.Pool({ connectionString: url, max });
    return Promise.resolve({
      ...calls(pool as unknown as Queryable),
      close: () => pool.end(),
    });
  },
  makePool(url, { max }) {
    const pool = new pg.Pool({ connectionString: url, max });
    const clients: { release(): void }[] = [];
    return {
      async openOne() {
        clients.push(await pool.connect());
      },
      close() {
        for (const client of clients) client.release();
        return pool.end();
      },
    };
  },
};
