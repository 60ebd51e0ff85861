/**
 * drizzle, on the pool of `npm:pg`.
 *
 * @module
 */

import { eq } from "npm:drizzle-orm@0.45.4";
import { drizzle as connect } from "npm:drizzle-orm@0.45.4/node-postgres";
import {
  bigint,
  doublePrecision,
  pgTable,
  text,
  timestamp,
  uuid,
} from "npm:drizzle-orm@0.45.4/pg-core";
import pg from "npm:pg@8.23.1";
import { chunksOf, type Library } from "./client.ts";

const rest = {
  name: text("name").notNull(),
  balance: doublePrecision("balance").notNull(),
  created_at: timestamp("created_at", { withTimezone: true }).notNull(),
};
const account = pgTable("account", {
  id: bigint("id", { mode: "number" }).primaryKey(),
  ...rest,
});
const entry = pgTable("entry", {
  id: uuid("id").primaryKey().defaultRandom(),
  ...rest,
});

/** The library, with its query builder. */
export const drizzle: Library = {
  name: "drizzle",
  pooled: true,
  open(url, { max }) {
    const pool = new pg.Pool({ connectionString: url, max });
    const db = connect(pool as unknown as Parameters<typeof connect>[0]);
    return Promise.resolve({
      select: async (id) =>
        await db.select().from(account).where(eq(account.id, id)),
      insert: async (row) => await db.insert(entry).values(row).returning(),
      read: async () => await db.select().from(account),
      insertMany: (accounts) =>
        Promise.all(
          chunksOf(accounts, 3).map((chunk) => db.insert(entry).values(chunk)),
        ),
      close: () => pool.end(),
    });
  },
};
