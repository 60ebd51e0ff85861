import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { fromDate, fromIso } from "../../src/database/timestamps.ts";

Deno.test("fromDate() writes what toISOString() says, as the server reads it", () => {
  const check = (date: Date) =>
    assertEquals(fromDate(date), fromIso(date.toISOString()));
  fc.assert(fc.property(fc.date({ noInvalidDate: true }), check));
  // Neighbours share a minute or a day with the date before.
  fc.assert(fc.property(
    fc.date({ noInvalidDate: true }),
    fc.array(fc.integer({ min: -90_000, max: 90_000 })),
    (date, steps) => {
      const end = 8.64e15 - 1e7;
      let ms = Math.min(Math.max(date.getTime(), -end), end);
      for (const step of steps) check(new Date(ms += step));
    },
  ));
});
