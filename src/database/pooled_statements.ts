/**
 * Statements outside of transactions: each on a session of the pool, which is given back after it.
 *
 * @module
 */

import type {
  QueryResult,
  RowBatch,
  Session,
  SessionQueryOptions,
} from "../driver/driver.ts";
import { withUnknownOutcome } from "../driver/loss.ts";
import type { SessionPool } from "./pool.ts";
import type { StreamQueryOptions } from "./queries.ts";
import { optionsFor } from "./row_reader.ts";
import type { UserTypes } from "./user_types.ts";

/** Runs statements on the sessions of a pool, and learns the types of what they return. */
export class PooledStatements {
  readonly #pool: SessionPool;
  readonly #types: UserTypes;
  readonly #openSession: () => Promise<Session>;

  /**
   * Makes a runner; nothing is opened yet.
   *
   * @param options `openSession` opens a session outside the pool, for questions while a stream keeps
   * its own busy.
   */
  constructor(
    pool: SessionPool,
    types: UserTypes,
    options: { openSession: () => Promise<Session> },
  ) {
    this.#pool = pool;
    this.#types = types;
    this.#openSession = options.openSession;
  }

  /** Runs a statement. */
  run(
    text: string,
    args: (string | null)[],
    options: SessionQueryOptions,
  ): Promise<QueryResult> {
    return this.#pool.use(async (session) => {
      const wasBroken = session.broken;
      try {
        const result = await session.query(
          text,
          args,
          optionsFor(session, options),
        );
        const { columns } = result;
        if (this.#types.lacks(columns)) {
          await this.#types.learn(columns, session, options);
        }
        return result;
      } catch (error) {
        const isLost = session.broken && !wasBroken;
        throw isLost ? withUnknownOutcome(error) : error;
      }
    }, { ...options, purpose: text });
  }

  /**
   * Runs a statement and yields its rows in batches. The session goes back when its part is done: a
   * limit frees it though no one reads the stream any more.
   */
  async *stream(
    text: string,
    args: (string | null)[],
    options: StreamQueryOptions,
  ): AsyncGenerator<RowBatch, void> {
    const { signal, timeoutMs } = options;
    const loan = await this.#pool.acquire({ signal, timeoutMs, purpose: text });
    const onEnd = () => void loan.release();
    try {
      yield* this.#types.follow(
        loan.session.stream(text, args, { ...options, onEnd }),
        this.#openSession,
      );
    } finally {
      await loan.release();
    }
  }
}
