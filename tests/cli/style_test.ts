import { assertEquals } from "@std/assert";
import {
  displayWidth,
  oneLine,
  padEnd,
  printable,
  styleFor,
} from "../../src/cli/style.ts";

Deno.test("displayWidth() counts columns, not characters", () => {
  assertEquals(displayWidth("users"), 5);
  assertEquals(displayWidth("größe"), 5);
  assertEquals(displayWidth("gro\u0308ße"), 5);
  assertEquals(displayWidth("用户表"), 6);
  assertEquals(displayWidth("ｗ한"), 4);
  assertEquals(displayWidth("🚀"), 2);
});

Deno.test("padEnd() aligns texts of different scripts", () => {
  assertEquals(padEnd("用户", 6), "用户  ");
  assertEquals(padEnd("users", 6), "users ");
  assertEquals(padEnd("too long", 3), "too long");
});

Deno.test("oneLine() cuts by characters and steers no terminal", () => {
  assertEquals(oneLine("SELECT\n  1"), "SELECT 1");
  assertEquals(oneLine("a\x1b[2Jb\x07"), "a[2Jb");
  assertEquals(oneLine("🚀🚀🚀🚀", 3), "🚀🚀…");
});

Deno.test("printable() keeps lines and tabs", () => {
  assertEquals(printable("a\tb\r\nc\x1b]0;x\x07"), "a\tb\nc]0;x");
});

Deno.test("styleFor() colours only where that is wanted", () => {
  assertEquals(styleFor(false).bad("x"), "x");
  assertEquals(styleFor(true).bad("x"), "\x1b[31mx\x1b[0m");
});
