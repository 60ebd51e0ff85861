/**
 * Interruptions of a client's run, enumerated: a recording of all frames of an uninterrupted run gives
 * the points at which it can be cut off, and a client is run again with a cut at one of them.
 *
 * @module
 */

import { Database } from "../../src/database/database.ts";
import { type Action, faultProxy, type ProxyFrame } from "./fault_proxy.ts";

/** What is lost at a point: one connection, or the client with all of its connections. */
export type Loss = "connection" | "client";

/** A point at which a run can be cut off. */
export interface Point {
  /** The connection, counted from 1. */
  readonly connection: number;
  /** Who sends the frame. */
  readonly direction: "client" | "server";
  /** The frame's number among those of its direction on its connection, from 1. */
  readonly index: number;
  /** Whether the other side still gets the frame. */
  readonly cut: "before" | "after";
  /** What is lost. */
  readonly loss: Loss;
  /** What the frame is, for messages. */
  readonly label: string;
}

/** A frame of a recording. */
export type Recorded = Pick<
  ProxyFrame,
  "connection" | "direction" | "index" | "type" | "text"
>;

/** Frames of a log-in that say nothing of what the client does. */
const GREETINGS = [
  "AuthenticationRequest",
  "ParameterStatus",
  "BackendKeyData",
];

/**
 * Gives the points of a recording: before and behind every frame of the client's, and before every
 * frame of the server's; each as the loss of the connection and as the loss of the client.
 */
export function pointsOf(frames: readonly Recorded[]): Point[] {
  return frames
    // A good-bye ends the connection as a cut does, and comes in no fixed order with the others.
    .filter(({ type }) => type !== "Terminate" && !GREETINGS.includes(type))
    .flatMap(({ connection, direction, index, type, text }) => {
      const what = `${type}${text ? ` ${text.slice(0, 70)}` : ""}`;
      const cuts = direction === "client"
        ? ["before", "after"] as const
        : ["before"] as const;
      const losses = ["connection", "client"] as const;
      return cuts.flatMap((cut) =>
        losses.map((loss): Point => ({
          ...{ connection, direction, index, cut, loss },
          label: `${loss} lost ${
            cut === "after" ? "behind" : "before"
          } frame ${index} of the ${direction} on connection ${connection}, ${what}`,
        }))
      );
    });
}

/** How a run went. */
export interface Outcome {
  /** Why it failed; `undefined` where it didn't. */
  readonly error?: unknown;
  /** Whether the point was reached. */
  readonly isReached: boolean;
  /** All frames that came by. */
  readonly frames: readonly Recorded[];
}

/** What befalls a run. */
export interface Passage {
  /** Where it is cut off; nowhere by default. */
  readonly point?: Point;
  /** Says what happens to a frame that isn't cut off. */
  readonly onFrame?: (frame: ProxyFrame) => Action | undefined | void;
}

/** Runs a client on a `Database` of its own behind a proxy, and cuts it off at a point. */
export async function interrupted(
  fn: (db: Database) => Promise<unknown>,
  url: string,
  passage: Passage = {},
): Promise<Outcome> {
  const { point, onFrame } = passage;
  const { hostname: host, port } = new URL(url);
  const frames: Recorded[] = [];
  let isReached = false;
  let isDead = false;
  await using proxy = await faultProxy({
    upstream: { host, port: Number(port) },
    onFrame: (frame): Action | undefined | void => {
      frames.push(frame);
      if (isDead) return { cut: "before" };
      if (point === undefined || isReached || !isAt(frame, point)) {
        return onFrame?.(frame);
      }
      isReached = true;
      if (point.loss === "client") {
        isDead = true;
        queueMicrotask(() => proxy.cutAll());
      }
      return { cut: point.cut };
    },
  });
  const db = new Database({ url: proxy.through(url) });
  try {
    await fn(db);
    return { isReached, frames };
  } catch (error) {
    return { isReached, frames, error };
  } finally {
    await db.close();
  }
}

function isAt(frame: ProxyFrame, point: Point): boolean {
  return frame.connection === point.connection &&
    frame.direction === point.direction && frame.index === point.index;
}
