/**
 * One connection through the fault proxy: two pumps that hand frames on, and the faults that a frame
 * can meet.
 *
 * @module
 */

import type { Socket } from "node:net";
import {
  concat,
  type Direction,
  errorResponse,
  type Fields,
  type Frame,
  frame as frameOf,
  FrameSplitter,
  noticeResponse,
  parse,
  query,
  statementOf,
} from "./wire.ts";

/** A frame on its way. */
export interface ProxyFrame extends Frame {
  /** Who sends it. */
  readonly direction: Direction;
  /** The connection, counted from 1. */
  readonly connection: number;
  /** Its number among the frames of its direction on its connection, counted from 1. */
  readonly index: number;
  /** Its number among those of its type, too. */
  readonly nth: number;
  /** The SQL of a Query or Parse, and of a Bind that runs a statement again that was parsed before. */
  readonly text?: string;
}

/**
 * What happens to a frame.
 *
 * - `"pass"`: it is handed on.
 * - `"drop"`: it is swallowed; the frames after it pass.
 * - `"half-open"`: it and all that follow on the connection are swallowed, in both directions.
 * - `"reset"`: the client's connection is reset, and the frame goes nowhere.
 * - `"trickle"`: it is handed on one byte at a time.
 * - `cut`: the connection ends before it, behind it, or in the middle of its body. Behind a Query,
 *   Execute or Sync, the server answers first: its statement has run. In any case the client learns
 *   of the cut when the server has ended the session, a few seconds later at most.
 * - `delayMs`: it is handed on later; frames of its direction wait behind it.
 * - `error`: for a frame with a text. The statement fails with this error instead of running; COMMIT
 *   rolls back. `FATAL` and `PANIC` end the connection. Notices come before the error.
 * - `errorAfter`: the same, but the statement runs, and its command tag becomes the error; for
 *   COMMIT and statements outside of a transaction.
 * - `rewrite`: for a frame with a text. Another statement runs in its place, such as one whose answer
 *   looks like CockroachDB's; it must take as many arguments.
 * - `replace`: other bytes are handed on in its place.
 */
export type Action =
  | "pass"
  | "drop"
  | "half-open"
  | "reset"
  | "trickle"
  | { cut: "before" | "inside" | "after" }
  | { delayMs: number }
  | { error: Fields; notices?: Fields[] }
  | { errorAfter: Fields; notices?: Fields[] }
  | { rewrite: string }
  | { replace: Uint8Array[] };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The server has this long to settle what it does before the client learns of a cut. */
const SETTLE_MS = 2_000;
/** A statement that no server understands. */
const FAILING = "this statement fails";

/** What ends the server's answer to a frame: CockroachDB gives a statement up whose client leaves. */
const ANSWERS: Readonly<Record<string, string[]>> = {
  Query: ["ReadyForQuery"],
  Sync: ["ReadyForQuery"],
  Execute: [
    "CommandComplete",
    "EmptyQueryResponse",
    "ErrorResponse",
    "PortalSuspended",
  ],
};

/** The two ends of a connection. */
export interface Sockets {
  /** The client's. */
  near: Socket;
  /** The server's. */
  far: Socket;
}

/** Options of a {@linkcode Relay}. */
export interface RelayOptions {
  /** The connection's number. */
  connection: number;
  /** Says what happens to a frame. */
  decide: (frame: ProxyFrame) => Promise<Action>;
}

/** The error that takes the place of a frame of the server's. */
interface Replacement {
  type: "CommandComplete" | "ErrorResponse";
  bytes: Uint8Array;
}

/** One connection through the proxy. */
export class Relay {
  /** Why a rule could not be kept. */
  failure?: unknown;
  /** Resolves when both sides are closed. */
  readonly done: Promise<unknown>;

  #near: Socket;
  #far: Socket;
  #connection: number;
  #decide: RelayOptions["decide"];
  #counts = new Map<string, number>();
  #replacement?: Replacement;
  /** The texts of the statements that the client has parsed, by their names. */
  #statements = new Map<string, string>();
  /** The name that was parsed last, until it is bound: one run has one text. */
  #parsed?: string;
  /** Whether the server is to confirm a Parse that the client knows nothing of. */
  #confirms = false;
  #awaited?: { answers: string[]; resolve: () => void };
  #passing = new Map<Direction, Promise<void>>();
  #silent = false;
  #over = false;

  /** Starts to hand frames on. */
  constructor(sockets: Sockets, options: RelayOptions) {
    const { near, far } = sockets;
    this.#near = near;
    this.#far = far;
    this.#connection = options.connection;
    this.#decide = options.decide;
    for (const socket of [near, far]) socket.on("error", () => {});
    this.done = Promise.all([
      this.#pump("client", { from: near, to: far }),
      this.#pump("server", { from: far, to: near }),
      ended(near),
      ended(far),
    ]);
  }

  /** Counts frames from 1 again. */
  renumber(connection: number): void {
    this.#connection = connection;
    this.#counts.clear();
  }

  /**
   * Ends the connection; the client learns it when the server is done.
   *
   * @param answers Frames of the server's, of which one is waited for.
   */
  async cut(answers: string[] = []): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    if (answers.length > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#awaited = { answers, resolve };
      // What was answered to an Execute without a Sync would stay in the server's buffer.
      if (!answers.includes("ReadyForQuery")) {
        await write(this.#far, frameOf("H"));
      }
      await within(SETTLE_MS, Promise.race([promise, ended(this.#far)]));
    }
    this.#far.end();
    await within(SETTLE_MS, ended(this.#far));
    this.#far.destroy();
    this.#near.end();
  }

  /** Resolves when the frames on their way have come through; one that is held back isn't waited for. */
  async passed(): Promise<void> {
    const passing = Promise.all(this.#passing.values());
    await within(SETTLE_MS, passing.then(() => {}));
  }

  /** Closes both sides at once. */
  async end(): Promise<void> {
    this.#over = true;
    this.#near.destroy();
    this.#far.destroy();
    await this.done;
  }

  async #pump(
    direction: Direction,
    ends: { from: Socket; to: Socket },
  ): Promise<void> {
    const { from, to } = ends;
    const splitter = new FrameSplitter(direction);
    try {
      for await (const bytes of from) {
        for (const frame of splitter.push(bytes)) {
          // After a cut the bytes that still come must be read, or the end behind them isn't seen.
          if (this.#over && direction === "server") this.#drain(frame);
          if (this.#over || this.#silent) continue;
          if (direction === "server" && this.#isUnasked(frame)) continue;
          const passing = this.#pass(this.#number(frame, direction), to)
            .catch((error) => this.#give(error));
          this.#passing.set(direction, passing);
          await passing;
        }
      }
    } catch {
      // The other side learns a broken connection as an end.
    }
    if (!this.#over && !this.#silent) to.end();
  }

  #drain({ type }: Frame): void {
    if (this.#awaited?.answers.includes(type)) this.#awaited.resolve();
  }

  #isUnasked({ type }: Frame): boolean {
    if (!this.#confirms) return false;
    if (type === "ParseComplete" || type === "ErrorResponse") {
      this.#confirms = false;
    }
    return type === "ParseComplete";
  }

  #give(error: unknown): void {
    this.failure ??= error;
    this.cut();
  }

  #number(frame: Frame, direction: Direction): ProxyFrame {
    const count = (key: string) => {
      const number = (this.#counts.get(key) ?? 0) + 1;
      this.#counts.set(key, number);
      return number;
    };
    return {
      ...frame,
      direction,
      connection: this.#connection,
      index: count(direction),
      nth: count(`${direction} ${frame.type}`),
      text: direction === "client" ? this.#textOf(frame) : undefined,
    };
  }

  #textOf(frame: Frame): string | undefined {
    const text = statementOf(frame);
    if (frame.type === "Parse") {
      const [name] = stringsOf(frame);
      this.#statements.set(name, text!);
      this.#parsed = name;
    }
    if (frame.type !== "Bind") return text;
    const [, name] = stringsOf(frame);
    const isFirst = name === this.#parsed;
    this.#parsed = undefined;
    return isFirst ? undefined : this.#statements.get(name);
  }

  async #pass(frame: ProxyFrame, to: Socket): Promise<void> {
    const { bytes, type, direction } = frame;
    if (type === "SSLRequest" || type === "GSSENCRequest") {
      return await write(this.#near, encoder.encode("N"));
    }
    const action = await this.#decide(frame);
    if (this.#silent || this.#over || action === "drop") return;
    if (action === "half-open") {
      this.#silent = true;
    } else if (action === "reset") {
      this.#over = true;
      this.#far.destroy();
      this.#near.resetAndDestroy();
    } else if (action === "trickle") {
      for (const byte of bytes) {
        await write(to, Uint8Array.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
    } else if (action === "pass") {
      await write(to, this.#replaced(frame));
    } else if ("cut" in action) {
      const end = { before: 0, inside: bytes.length >> 1, after: bytes.length };
      await write(to, bytes.subarray(0, end[action.cut]));
      const handedOn = direction === "client" && action.cut === "after";
      this.cut(handedOn ? ANSWERS[type] : []);
    } else if ("delayMs" in action) {
      await within(action.delayMs, ended(to));
      await write(to, this.#replaced(frame));
    } else if ("replace" in action) {
      await write(to, concat(action.replace));
    } else if (direction === "server" || frame.text === undefined) {
      throw new TypeError(`${type} holds no statement to put a fault into`);
    } else if ("rewrite" in action) {
      await this.#run(frame, action.rewrite);
    } else {
      await this.#fail(frame, action);
    }
  }

  async #fail(
    frame: ProxyFrame,
    action:
      & { notices?: Fields[] }
      & ({ error: Fields } | { errorAfter: Fields }),
  ): Promise<void> {
    const runs = "errorAfter" in action;
    const fields = runs ? action.errorAfter : action.error;
    const bytes = concat([
      ...(action.notices ?? []).map(noticeResponse),
      errorResponse(fields),
    ]);
    if (!runs && /^(FATAL|PANIC)$/.test(fields.severity ?? "")) {
      await write(this.#near, bytes);
      this.cut();
      return;
    }
    // After a COMMIT that failed no transaction is left, as after ROLLBACK.
    const commit = /^\s*(COMMIT|END)\b/i.test(frame.text!);
    this.#replacement = {
      type: runs || commit ? "CommandComplete" : "ErrorResponse",
      bytes,
    };
    if (runs) await write(this.#far, frame.bytes);
    else await this.#run(frame, commit ? "ROLLBACK" : FAILING);
  }

  /** Lets the server run another statement in a frame's place. */
  async #run(frame: ProxyFrame, text: string): Promise<void> {
    this.#confirms = frame.type === "Bind";
    await write(this.#far, withText(frame, text));
  }

  #replaced(frame: ProxyFrame): Uint8Array {
    const replacement = this.#replacement;
    if (frame.direction === "client" || replacement?.type !== frame.type) {
      return frame.bytes;
    }
    this.#replacement = undefined;
    return replacement.bytes;
  }
}

/** A Query, Parse or Bind with another text. What was parsed under a name stays as it is. */
function withText(frame: ProxyFrame, text: string): Uint8Array {
  if (frame.type === "Query") return query(text);
  const [first, name] = stringsOf(frame);
  if (frame.type === "Parse") return parse(text, first);
  const end = encoder.encode(`${first}\0${name}\0`).length;
  const bind = frameOf("B", first, "", frame.body.subarray(end));
  return concat([parse(text), bind]);
}

/** The strings at the start of a frame's body; what follows them is no text. */
function stringsOf({ body }: Frame): string[] {
  return decoder.decode(body).split("\0");
}

function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  if (bytes.length === 0 || !socket.writable) return Promise.resolve();
  return new Promise((resolve) => socket.write(bytes, () => resolve()));
}

function ended(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

/** Waits for something, but not longer than a time. */
async function within(ms: number, event: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([event, promise]);
  clearTimeout(timer);
}
