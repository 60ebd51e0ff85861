/**
 * The pool in random schedules: openings that are slow or fail, sessions that die at any moment,
 * callers who lose their patience, and a close in the middle. Whatever happens, no more than `max`
 * sessions are open, no session has two users or is closed under one, every caller is served or told
 * why not, and in the end everything is closed.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { SessionPool } from "../../src/database/pool.ts";
import { resolveConfig } from "../../src/driver/config.ts";
import type { Driver, Session } from "../../src/driver/driver.ts";
import { DatabaseError } from "../../src/errors.ts";
import { FakeSession } from "../support/fake_driver.ts";

const SCHEDULES = 300;
const AT_ONCE = 30;
const PATIENCE_MS = 10_000;

/** Numbers that follow from a seed. */
class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** https://en.wikipedia.org/wiki/Linear_congruential_generator */
  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor(this.#state / 2 ** 32 * limit);
  }

  is(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** Waits for some microtasks, for a turn of the loop, or for some milliseconds. */
  async pause(ms: number): Promise<void> {
    const kind = this.below(3);
    if (kind === 0) {
      for (let left = this.below(20); left > 0; left--) await Promise.resolve();
    } else {
      const delay = kind === 1 ? 0 : 1 + this.below(ms);
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }
}

/** A session that the server may end, and that knows its user. */
class ModelSession extends FakeSession {
  users = 0;
  /** Whether the server has forgotten it. */
  isGone = false;

  constructor(readonly model: Model) {
    super();
  }

  override async close(): Promise<void> {
    if (this.users > 0 && !this.broken && !this.model.isClosing) {
      this.model.problems.add("a session is closed under its user");
    }
    await super.close();
    if (this.model.chance.is(50)) await this.model.chance.pause(4);
    this.isGone = true;
  }
}

/** One schedule. */
class Model implements Driver {
  readonly name = "model";
  readonly problems = new Set<string>();
  readonly sessions: ModelSession[] = [];
  readonly max: number;
  opening = 0;
  isClosing = false;
  isClosed = false;
  failing: number;

  constructor(readonly chance: Chance) {
    this.max = 1 + chance.below(3);
    this.failing = [0, 0, 20, 60, 100][chance.below(5)];
  }

  async connect(): Promise<Session> {
    this.opening++;
    const open = this.sessions.filter(({ isGone }) => !isGone).length;
    if (open + this.opening > this.max) this.problems.add("max is exceeded");
    if (this.isClosed) this.problems.add("a session is opened after close()");
    try {
      await this.chance.pause(4);
      if (this.chance.is(this.failing)) {
        const code = this.chance.is(30) ? "53300" : "08001";
        throw new DatabaseError({ code, message: "refused" });
      }
      const session = new ModelSession(this);
      this.sessions.push(session);
      if (this.chance.is(15)) {
        this.chance.pause(3).then(() => session.broken = true);
      }
      return session;
    } finally {
      this.opening--;
    }
  }

  /** Borrows a session, and says what must not happen. */
  async call(pool: SessionPool): Promise<void> {
    const { chance, problems } = this;
    await chance.pause(8);
    const controller = new AbortController();
    if (chance.is(20)) {
      chance.pause(4).then(() => controller.abort(new Error("gave up")));
    }
    const timeoutMs = chance.is(10) ? 3 : undefined;
    try {
      await pool.use(async (session) => {
        const own = session as ModelSession;
        if (++own.users > 1) problems.add("a session has two users");
        if (chance.is(10)) own.broken = true;
        if (chance.is(80)) await chance.pause(4);
        if (chance.is(20)) own.transactionStatus = "open";
        own.users--;
        if (chance.is(10)) throw new Error("the caller's");
      }, { signal: controller.signal, timeoutMs });
    } catch (error) {
      const { code, message } = error as DatabaseError;
      const isKnown =
        ["refused", "gave up", "the caller's"].includes(message) ||
        (code === "08003" && this.isClosing) ||
        (code === "55P03" && timeoutMs !== undefined);
      if (!isKnown) problems.add(`a caller is told: ${message}`);
    }
  }
}

async function inTime(
  model: Model,
  what: string,
  work: Promise<unknown>,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      model.problems.add(`${what} hangs`);
      resolve();
    }, PATIENCE_MS);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

async function play(seed: number): Promise<string[]> {
  const chance = new Chance(seed);
  const model = new Model(chance);
  const pool = new SessionPool(model, resolveConfig(), {
    max: model.max,
    acquireTimeoutMs: 5_000,
    idleTimeoutMs: chance.is(30) ? 2 : 60_000,
    maxLifetimeMs: chance.is(50) ? [0.05, 1, 3][chance.below(3)] : 60_000,
  });
  const calls = Array.from(
    { length: 1 + chance.below(12) },
    () => inTime(model, "a caller", model.call(pool)),
  );
  if (chance.is(40)) await chance.pause(10);
  else {
    await Promise.all(calls);
    model.failing = 0;
    await inTime(model, "the last caller", model.call(pool));
  }
  model.isClosing = true;
  const timeoutMs = chance.is(50) ? 1 : 500;
  await inTime(model, "close()", pool.close({ timeoutMs }));
  model.isClosed = true;
  await Promise.all(calls);
  if (model.sessions.some(({ closed }) => !closed)) {
    model.problems.add("a session is left open");
  }
  return [...model.problems].map((problem) => `${problem}, seed ${seed}`);
}

Deno.test(`SessionPool keeps its promises in ${SCHEDULES} random schedules`, async () => {
  const problems: string[] = [];
  for (let first = 1; first <= SCHEDULES; first += AT_ONCE) {
    const seeds = Array.from({ length: AT_ONCE }, (_, index) => first + index);
    problems.push(...(await Promise.all(seeds.map(play))).flat());
  }
  assertEquals(problems, []);
});
