import { assertEquals } from "@std/assert";
import { FrameBuffer } from "../../src/driver/frame_buffer.ts";

/** Fills the room with bytes that count on from `first`, and says how many they were. */
function fill(buffer: FrameBuffer, first: number): number {
  const room = buffer.room();
  for (let at = 0; at < room.length; at++) room[at] = first + at;
  buffer.added(room.length);
  return room.length;
}

Deno.test("FrameBuffer gives what was added, in order, and no more", () => {
  const buffer = new FrameBuffer();
  buffer.room().set([1, 2, 3]);
  buffer.added(3);
  buffer.room().set([4, 5]);
  buffer.added(2);
  assertEquals(buffer.take(4), Uint8Array.of(1, 2, 3, 4));
  assertEquals(buffer.take(2), undefined);
  assertEquals(buffer.rest, Uint8Array.of(5));
});

Deno.test("FrameBuffer begins small, and is large from its first full read on", () => {
  const buffer = new FrameBuffer();
  const small = fill(buffer, 0);
  assertEquals(small, 8 * 1024);
  buffer.take(small);
  assertEquals(buffer.room().length, 128 * 1024);
});

Deno.test("FrameBuffer grows around a frame that it can't hold, and shrinks after it", () => {
  const buffer = new FrameBuffer();
  let length = 0;
  while (length <= 300_000) length += fill(buffer, length);
  const bytes = buffer.take(length)!;
  assertEquals(
    bytes.findIndex((byte, at) => byte !== (at & 0xff)),
    -1,
  );
  assertEquals(buffer.room().length, 128 * 1024);
});

Deno.test("FrameBuffer reads the type and the length of the next frame", () => {
  const buffer = new FrameBuffer();
  assertEquals([buffer.type, buffer.length], [0, undefined]);
  buffer.room().set([0x5a, 0, 0, 0]);
  buffer.added(4);
  assertEquals([buffer.type, buffer.length], [0x5a, undefined]);
  buffer.room().set([5, 0x49]);
  buffer.added(2);
  assertEquals(buffer.length, 6);
});
