/**
 * Which frames a server may send, when, and how long they may be.
 *
 * @module
 */

import { HEADER_LENGTH } from "./frames.ts";

/** Where a session is: logging in, between two calls, or in one. */
export type Phase = "log-in" | "idle" | "call";

/** Before the log-in a longer frame means that the other side isn't a PostgreSQL server. */
const LOGIN_FRAME_LENGTH = 64 * 1024;
const MAX_FRAME_LENGTH = 2 ** 30;

const FRAMES: Readonly<Record<Phase, ReadonlySet<number>>> = {
  "log-in": frameTypes("RSKNEZv"),
  "call": frameTypes("123ACDEGHINSTZcdns"),
  "idle": frameTypes("ANSE"),
};

const FOR_DRIVER = frameTypes("EZ");

/** What a server says to whoever it lets in without a password: AuthenticationOk, ReadyForQuery. */
export const LET_IN: Uint8Array<ArrayBuffer> = Uint8Array.of(
  ...[0x52, 0, 0, 0, 8, 0, 0, 0, 0],
  ...[0x5a, 0, 0, 0, 5, 0x49],
);

/**
 * Says whether a frame can be PostgreSQL's.
 *
 * @param type The first byte.
 * @param length The number of bytes, header included.
 * @param phase Where the session is.
 */
export function isPlausible(
  type: number,
  length: number,
  phase: Phase,
): boolean {
  const longest = phase === "log-in" ? LOGIN_FRAME_LENGTH : MAX_FRAME_LENGTH;
  return length >= HEADER_LENGTH && length <= longest &&
    FRAMES[phase].has(type);
}

/** Says whether a frame decides the driver's next step. */
export function isForDriver(type: number): boolean {
  return FOR_DRIVER.has(type);
}

function frameTypes(types: string): Set<number> {
  return new Set(Array.from(types, (type) => type.charCodeAt(0)));
}
