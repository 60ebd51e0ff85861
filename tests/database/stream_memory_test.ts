import { assert, assertEquals } from "@std/assert";
import { databaseTest } from "../support/database.ts";
import { drivers } from "../support/drivers.ts";
import { addressOf, modeFlags } from "../support/example.ts";

const PROGRAM = new URL("../testdata/stream_memory.ts", import.meta.url);

for (const { driver, reason } of drivers) {
  databaseTest(
    `Database.stream() reads a million rows within 64 MiB on ${driver.name}, though a large batchSize is asked for`,
    async (_db, { options }) => {
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "-A", ...modeFlags()],
          ...[PROGRAM.pathname, driver.name, "5000"],
        ],
        env: { DATABASE_URL: addressOf(options) },
      }).output();
      const decoder = new TextDecoder();
      const output = decoder.decode(stdout);
      assert(output !== "", decoder.decode(stderr));
      const { count, grownMiB } = JSON.parse(output);
      assertEquals(count, 1_000_000);
      assert(grownMiB < 64, `it has grown by ${grownMiB} MiB`);
    },
    { ignore: reason },
  );
}
