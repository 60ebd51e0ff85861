/**
 * deno-postgres as it is. Only JSR has it.
 *
 * @module
 */

import { type Account, type Library, SQL } from "./client.ts";

/** The library's single client; its TLS is off, as it is for the others. */
export const bare: Library = {
  name: "deno-postgres, bare",
  slow: true,
  pooled: false,
  async open(url) {
    const { Client } = await import("@db/postgres");
    const { hostname, port, username, password, pathname } = new URL(url);
    const client = new Client({
      hostname,
      port,
      user: username,
      password: password || undefined,
      database: pathname.slice(1),
      tls: { enabled: false },
    });
    await client.connect();
    return {
      select: async (id) => (await client.queryObject(SQL.select, [id])).rows,
      insert: async ({ name, balance, created_at }: Account) =>
        (await client.queryObject(SQL.insert, [name, balance, created_at]))
          .rows,
      read: async () => (await client.queryObject(SQL.read)).rows,
      close: () => client.end(),
    };
  },
};
