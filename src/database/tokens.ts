/**
 * The tokens of transactions: a row that is written with a transaction, and tells afterwards whether
 * it committed.
 *
 * @module
 */

import { unlessAborted } from "../delay.ts";
import { quoteIdentifier } from "../sql.ts";
import type { SessionPool } from "./pool.ts";
import type { RowQueries } from "./rows.ts";

/** The table that holds the tokens of transactions that committed. */
export const TOKEN_TABLE = "_crdb_tokens";

/** Writes a token; the argument is its text. */
export const INSERT_TOKEN: string = `INSERT INTO ${
  quoteIdentifier(TOKEN_TABLE)
} (token) VALUES ($1)`;

/** A transaction whose client is gone ends long before that, unless the network is gone too. */
const LOOK_UP_TIMEOUT_MS = 10_000;

/** The tokens of one database. */
export class Tokens {
  readonly #queries: RowQueries;
  readonly #pool: SessionPool;
  #made: Promise<void> | undefined;

  /**
   * Makes nothing yet.
   *
   * @param queries The database, to make the table with.
   * @param pool Its sessions.
   */
  constructor(queries: RowQueries, pool: SessionPool) {
    this.#queries = queries;
    this.#pool = pool;
  }

  /**
   * Makes the table, where it isn't there.
   *
   * @param signal Ends the waiting. All callers share the work, which goes on.
   */
  prepare(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.#made ??= this.#make().catch((error) => {
      this.#made = undefined;
      throw error;
    });
    return unlessAborted(this.#made, signal);
  }

  /** Says whether the transaction with the token committed; waits where that is still open. */
  async isCommitted(token: string): Promise<boolean> {
    const limits = { timeoutMs: LOOK_UP_TIMEOUT_MS };
    return await this.#pool.use(async (session) => {
      // A SELECT wouldn't wait for a COMMIT that is still under way. The pool rolls this back.
      await session.query("BEGIN ISOLATION LEVEL READ COMMITTED", [], limits);
      const { rowCount } = await session.query(
        `${INSERT_TOKEN} ON CONFLICT (token) DO NOTHING`,
        [token],
        limits,
      );
      return rowCount === 0;
    }, { purpose: "the outcome of a transaction" });
  }

  async #make(): Promise<void> {
    if (await this.#queries.exists(TOKEN_TABLE)) return;
    try {
      await this.#queries.createTable(TOKEN_TABLE, {
        token: "TEXT PRIMARY KEY",
        committed_at: "TIMESTAMPTZ NOT NULL DEFAULT now()",
      }, { ifNotExists: true });
    } catch (error) {
      // On PostgreSQL two that make it at once collide in the catalog.
      if (!await this.#queries.exists(TOKEN_TABLE)) throw error;
    }
  }
}
