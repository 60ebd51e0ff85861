import { assert, assertEquals, assertRejects } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import { ConfigError, LockTimeoutError } from "../../src/errors.ts";
import { ensureMigrated } from "../../src/migration/ensure.ts";
import { bundle } from "../../src/migration/source.ts";
import { databaseTest } from "../support/database.ts";

const source = bundle([{
  name: "1_create_a.sql",
  text: "CREATE TABLE a (id INT PRIMARY KEY);",
}]);

databaseTest(
  "ensureMigrated() keeps to its deadline while another holds the lease, and says who",
  async (db) => {
    const first = bundle([{ name: "0_none.sql", text: "SELECT 1;" }]);
    await ensureMigrated(db, { source: first });
    await db.execute(
      "UPDATE _migrations_lease SET holder = 'somebody else', username = 'another', expires_at = now() + INTERVAL '1 hour'",
    );
    const both = bundle([
      ...await first.load(),
      ...await source.load(),
    ]);
    const start = performance.now();
    const error = await assertRejects(
      () => ensureMigrated(db, { source: both, deadlineMs: 700 }),
      LockTimeoutError,
      "Cannot make sure that the migrations are applied within 700 ms: somebody else holds the lease since ",
    );
    assert(performance.now() - start < 5_000);
    assert(error.message.endsWith(
      "wait for it, or run unlock if that runner is gone, or raise deadlineMs",
    ));
  },
);

Deno.test("ensureMigrated() keeps to its deadline where the server is silent", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const silent = listener.accept();
  await using db = new Database({ host: "127.0.0.1", port });
  const start = performance.now();
  await assertRejects(
    () => ensureMigrated(db, { source, deadlineMs: 300 }),
    LockTimeoutError,
    "Cannot make sure that the migrations are applied within 300 ms: the server didn't answer; check host, port and network, or raise deadlineMs",
  );
  assert(performance.now() - start < 3_000);
  (await silent).close();
});

Deno.test("ensureMigrated() refuses options that it doesn't know, and a deadline that is none", async () => {
  await using db = new Database();
  const error = await assertRejects(
    () => ensureMigrated(db, { deadlineMS: 5 } as object),
    ConfigError,
  );
  assertEquals(
    error.message,
    'Cannot use the option "deadlineMS": unknown option; did you mean "deadlineMs"?',
  );
  for (const deadlineMs of [NaN, -1, "5"]) {
    await assertRejects(
      () => ensureMigrated(db, { deadlineMs: deadlineMs as number }),
      RangeError,
      `Cannot wait for a deadlineMs of ${deadlineMs}`,
    );
  }
});
