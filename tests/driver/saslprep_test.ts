import { assertEquals } from "@std/assert";
import { saslPrep } from "../../src/driver/saslprep.ts";

Deno.test("saslPrep() maps spaces, leaves out what isn't seen, and normalizes", () => {
  for (
    const [given, prepared] of [
      ["I\u00adX", "IX"],
      ["\u00aa", "a"],
      ["\u2168", "IX"],
      ["ä", "ä"],
      ["a\u0308", "ä"],
      ["plain\u00a0pass", "plain pass"],
      ["a\u200bä", "a ä"],
      ["ﷺ", "صلى الله عليه وسلم"],
    ]
  ) {
    assertEquals(saslPrep(given), prepared);
  }
});

Deno.test("saslPrep() leaves ASCII as it is, with all its control characters", () => {
  for (const given of ["", "pencil", "plain pass", "tab\tx", "\x7f\x01"]) {
    assertEquals(saslPrep(given), given);
  }
});

Deno.test("saslPrep() leaves a password as it is that SASLprep refuses", () => {
  for (
    const given of [
      // A control character, a private one, one that is unassigned in Unicode 3.2.
      "\u2168\t",
      "\u2168\ue000",
      "\u2168😀",
      // Nothing is left.
      "\u00ad",
      // Both directions, and one that begins or ends with the wrong one.
      "\ufb1da",
      "\ufb1d1",
      "1\ufb1d",
      // Half a character.
      "\u2168\ud800",
    ]
  ) {
    assertEquals(saslPrep(given), given);
  }
});
