import { assertEquals } from "@std/assert";
import {
  isForDriver,
  isPlausible,
  LET_IN,
  type Phase,
} from "../../src/driver/frame_types.ts";
import { authenticationOk, concat, readyForQuery } from "../support/wire.ts";

function typesOf(phase: Phase): string {
  return Array.from({ length: 128 }, (_, type) => type)
    .filter((type) => isPlausible(type, 5, phase))
    .map((type) => String.fromCharCode(type)).join("");
}

Deno.test("isPlausible() knows the frames of each phase", () => {
  assertEquals(typesOf("log-in"), "EKNRSZv");
  assertEquals(typesOf("idle"), "AENS");
  assertEquals(typesOf("call"), "123ACDEGHINSTZcdns");
});

Deno.test("isPlausible() refuses lengths that no frame has", () => {
  const [error] = new TextEncoder().encode("E");
  for (
    const [length, phase, plausible] of [
      [4, "call", false],
      [-1, "idle", false],
      [64 * 1024, "log-in", true],
      [64 * 1024 + 1, "log-in", false],
      [64 * 1024 + 1, "call", true],
      [2 ** 30, "call", true],
      [2 ** 30 + 1, "call", false],
    ] as const
  ) {
    assertEquals(
      isPlausible(error, length, phase),
      plausible,
      `${length} ${phase}`,
    );
  }
});

Deno.test("isForDriver() leaves the driver what decides its next step", () => {
  const all = Array.from({ length: 128 }, (_, type) => type);
  assertEquals(String.fromCharCode(...all.filter(isForDriver)), "EZ");
});

Deno.test("LET_IN is what a server says that asks for no password", () => {
  assertEquals(LET_IN, concat([authenticationOk(), readyForQuery()]));
});
