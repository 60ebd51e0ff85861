/**
 * The limits of a call that waits for its turn: they count from the call, so the waiting and the
 * statement share the same time.
 *
 * @module
 */

import { unlessAborted } from "../delay.ts";
import type { CallOptions } from "../driver/driver.ts";
import { Limit } from "../driver/limit.ts";
import { DatabaseError } from "../errors.ts";

/** A call that takes a turn, with its limits. */
export interface TurnCall extends CallOptions {
  /** The SQL, which errors name. */
  readonly text?: string;
}

/**
 * Waits for the calls before one, within its limits.
 *
 * @throws {DatabaseError} Where the time is up; else the signal's reason, where it fires.
 */
export async function waitWithin(
  call: TurnCall,
  before: Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  using _limit = new Limit(call, (reached) => {
    controller.abort(
      reached === "time" ? lateError(call) : call.signal!.reason,
    );
  });
  await unlessAborted(before, controller.signal);
}

function lateError({ text: statement, timeoutMs }: TurnCall): DatabaseError {
  return new DatabaseError({
    code: "57014",
    message:
      `Cannot run the statement within ${timeoutMs} ms: the calls before it in its transaction took longer; await them first, or raise timeoutMs`,
  }, { statement });
}
