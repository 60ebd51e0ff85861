import { assert, assertEquals, assertRejects } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import { settledWithin } from "../../src/delay.ts";
import { DatabaseError, MigrationError } from "../../src/errors.ts";
import { Migration } from "../../src/migration/migrator.ts";
import { bundle } from "../../src/migration/source.ts";
import { databaseTest } from "../support/database.ts";
import { THREE, withFolder } from "../support/migrations.ts";

const broken = bundle([{ name: "1_broken.sql", text: "SELECT 'open" }]);

databaseTest(
  "migrate() opens its connection while the migrations are loaded",
  async (_, { options }) => {
    const order: string[] = [];
    const { promise: connected, resolve } = Promise.withResolvers<void>();
    await using db = new Database(options);
    const withSession = db.withSession.bind(db);
    db.withSession = (fn, limits) =>
      withSession((session) => {
        order.push("connected");
        resolve();
        return fn(session);
      }, limits);
    const source = {
      async load() {
        await settledWithin(10_000, connected);
        order.push("loaded");
        return await bundle([{ name: "1_a.sql", text: "SELECT 1" }]).load();
      },
    };
    const migration = new Migration(db, { source });
    assertEquals(await migration.migrate({ dryRun: true }), 1);
    assertEquals(order, ["connected", "loaded"]);
  },
);

Deno.test("migrate() tells what is wrong with the files before what is wrong with the address", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  await using db = new Database({ host: "127.0.0.1", port });
  const migration = (source = broken) => new Migration(db, { source });
  await assertRejects(
    () => migration().migrate(),
    MigrationError,
    "1_broken.sql:1:8",
  );
  await assertRejects(
    () => migration().rollback({ targetVersion: "1" }),
    DatabaseError,
    "the connection was refused",
  );
  await assertRejects(
    () => migration(bundle([])).migrate(),
    DatabaseError,
    "the connection was refused",
  );
});

Deno.test("migrate() doesn't wait for a silent server where a file is broken", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  let silent: Deno.Conn | undefined;
  const accepting = listener.accept().then((connection) => {
    silent = connection;
  }, () => {});
  await using db = new Database({ host: "127.0.0.1", port });
  const start = performance.now();
  const source = {
    async load() {
      await settledWithin(2_000, accepting);
      return await broken.load();
    },
  };
  await assertRejects(
    () => new Migration(db, { source }).migrate(),
    MigrationError,
    "1_broken.sql:1:8",
  );
  assert(performance.now() - start < 3_000);
  assert(silent !== undefined, "the server was asked meanwhile");
  silent.close();
});

databaseTest(
  "migrate() leaves the pool usable where a file is broken",
  async (db) => {
    await assertRejects(
      () => new Migration(db, { source: broken }).migrate(),
      MigrationError,
    );
    await withFolder(THREE, async (migrationsDir) => {
      assertEquals(await new Migration(db, { migrationsDir }).migrate(), 3);
    });
  },
);
