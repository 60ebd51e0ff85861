import { assertEquals, assertThrows } from "@std/assert";
import { withFaultPoints } from "../../tools/fault_points.ts";

const BEGIN = "<!-- Written by `deno task test:faults`. -->";
const END = "<!-- The end of what it writes. -->";

Deno.test("withFaultPoints() adds up what a run printed, and keeps another server's", () => {
  const readme =
    `Before.\n\n${BEGIN}\n\n- **PostgreSQL: 7 points**, on 2026-01-01: 7 cut.\n` +
    `- **CockroachDB: 9 points**, on\n  2026-01-01: 9 cut.\n\n${END}\n\nAfter.\n`;
  const printed = "ok\nfaults: 1200 points survived on postgresql (cuts)\n" +
    "faults: 34 points survived on postgresql (SIGKILL, transaction)\n";
  assertEquals(
    withFaultPoints(readme, printed, "2026-02-03"),
    `Before.\n\n${BEGIN}\n\n- **PostgreSQL: 1,234 points**, on 2026-02-03: 1,200 cuts; 34 SIGKILL, transaction.\n` +
      `- **CockroachDB: 9 points**, on 2026-01-01: 9 cut.\n\n${END}\n\nAfter.\n`,
  );
});

Deno.test("withFaultPoints() leaves the text alone where nothing was printed", () => {
  const readme =
    `${BEGIN}\n\n- **PostgreSQL: 7 points**, on 2026-01-01: 7 cut.\n\n${END}`;
  assertEquals(withFaultPoints(readme, "no points", "2026-02-03"), readme);
});

Deno.test("withFaultPoints() says what the README lacks", () => {
  assertThrows(
    () => withFaultPoints("nothing", "", "2026-02-03"),
    Error,
    'Cannot write the points into the README: it has no line "<!-- Written by `deno task test:faults`. -->"; put it where they belong',
  );
});
