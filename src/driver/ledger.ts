/**
 * What a session keeps of what its server says: what the server reports of itself, the state of the
 * transaction, and what belongs to the answer that is being read.
 *
 * @module
 */

import type { Answer } from "./answer.ts";
import { ColumnCache } from "./column_cache.ts";
import type { TransactionStatus } from "./driver.ts";
import { FRAME, parseCommandTag, parseFields, parseStatus } from "./frames.ts";
import { Parameters } from "./parameters.ts";

/** The books of one session. */
export class Ledger {
  /** The state of the session's transaction, as of the last answer. */
  transactionStatus: TransactionStatus = "idle";
  /** What a cancel request has to name; absent where the server gave none. */
  backendKey?: Uint8Array;

  readonly #parameters = new Parameters();
  readonly #columns = new ColumnCache();

  /** What the server reported of itself. */
  get parameters(): Readonly<Record<string, string>> {
    return this.#parameters.read();
  }

  /**
   * Takes note of a frame. Of one that asks for something to be done, nothing is noted.
   *
   * @param type Its first byte.
   * @param body What is behind its header; it is read now.
   * @param answer What the frame belongs to, where a call is under way.
   * @throws {RangeError} A body that isn't PostgreSQL's.
   */
  note(type: number, body: Uint8Array, answer?: Answer): void {
    switch (type) {
      case FRAME.parameterStatus:
        return this.#parameters.add(body);
      case FRAME.backendKey:
        if (body.some((byte) => byte !== 0)) this.backendKey = body.slice();
        return;
      case FRAME.ready:
        this.transactionStatus = parseStatus(body);
    }
    if (answer !== undefined) this.#enter(type, body, answer);
  }

  #enter(type: number, body: Uint8Array, answer: Answer): void {
    switch (type) {
      case FRAME.bindComplete:
        answer.bound = true;
        return;
      case FRAME.rowDescription:
        return answer.startResult(this.#columns.read(body));
      case FRAME.portalSuspended:
        answer.suspended = true;
        return;
      case FRAME.commandComplete:
        return answer.endResult(parseCommandTag(body));
      case FRAME.emptyQuery:
        return answer.endResult({ command: "", rowCount: 0 });
      case FRAME.notice:
        answer.notices.push(parseFields(body));
        return;
      case FRAME.ready:
        answer.ready = true;
    }
  }
}
