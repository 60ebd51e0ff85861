import { assertEquals } from "@std/assert";
import { closest } from "../src/closest.ts";

const KNOWN = ["host", "user", "sslMode", "url", "applicationName"];

Deno.test("closest() finds the word that was probably meant", () => {
  const cases: [string, string | undefined][] = [
    ["host", "host"],
    ["hostname", "host"],
    ["HOST", "host"],
    ["application_name", "applicationName"],
    ["ssl", "sslMode"],
    ["sslMod", "sslMode"],
    ["uri", "url"],
    ["usr", "user"],
    ["aplicatonName", "applicationName"],
    ["u", undefined],
    ["", undefined],
    ["xy", undefined],
    ["frobnicate", undefined],
  ];
  for (const [word, meant] of cases) {
    assertEquals(closest(word, KNOWN), meant, word);
  }
  assertEquals(closest("host", []), undefined);
});
