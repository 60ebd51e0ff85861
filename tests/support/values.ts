/**
 * Values that are decoded one at a time, and the time zones that they may be decoded in.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { decoders, type ValueOptions } from "../../src/database/values.ts";

/** How values are decoded where nothing else is said. */
export const OPTIONS: ValueOptions = { int8: "auto", timestamps: "date" };

/** Decodes the text of one value. */
export function decode(
  typeOid: number,
  text: string,
  options: Partial<ValueOptions> = {},
): unknown {
  const [decoder] = decoders([{ name: "c", typeOid }], {
    ...OPTIONS,
    ...options,
  });
  return decoder(text);
}

/** Runs a function once in each zone, and proves that the zone was in force. */
export function inEachZone(fn: () => void): void {
  const before = Deno.env.get("TZ");
  try {
    for (
      const [zone, offset] of [
        ["UTC", 0],
        ["America/New_York", 300],
        ["Asia/Tokyo", -540],
      ] as const
    ) {
      Deno.env.set("TZ", zone);
      assertEquals(new Date(2026, 0, 1).getTimezoneOffset(), offset);
      fn();
    }
  } finally {
    if (before === undefined) Deno.env.delete("TZ");
    else Deno.env.set("TZ", before);
  }
}
