/**
 * The demo: the guide's example, step by step, on a database that it finds or starts by itself.
 * Nothing of it stays behind.
 *
 * @module
 */

import { type Database, Migration, type MigrationEvent } from "@x/crdb";
import { withDatabase } from "@x/crdb/testing";
import { climb } from "../tests/support/ladder.ts";

const interruption = new AbortController();
Deno.addSignalListener("SIGINT", () => {
  interruption.abort(new Error("Interrupted; what the demo made is removed"));
});

function say(line = ""): void {
  console.log(line);
}

function show(event: MigrationEvent): void {
  if (event.type === "migration-started") {
    say(
      `  ${
        event.direction === "up" ? "apply" : "undo"
      }  ${event.version} ${event.description}`,
    );
  }
  if (event.type === "statement-started") {
    say(
      `         ${event.text.split("\n")[0]}${
        event.text.includes("\n") ? " …" : ""
      }`,
    );
  }
}

async function stamp(title: string, run: () => Promise<void>): Promise<void> {
  interruption.signal.throwIfAborted();
  say(`\n# ${title}`);
  const start = performance.now();
  await run();
  say(`  (${Math.round(performance.now() - start)} ms)`);
}

async function demo(db: Database, migrationsDir: string): Promise<void> {
  const { kind, version } = await db.server();
  say(`Connected to ${kind} ${version}`);
  const migration = new Migration(db, { migrationsDir, onEvent: show });

  await stamp("Make two migrations", async () => {
    for (
      const [description, forward, undo] of [
        [
          "create users table",
          `
            CREATE TABLE users (
                id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
                name TEXT NOT NULL,
                email TEXT UNIQUE NOT NULL,
                created_at TIMESTAMPTZ DEFAULT now()
            );
            `,
          "DROP TABLE users;",
        ],
        [
          "add age column",
          "ALTER TABLE users ADD COLUMN age INTEGER;",
          "ALTER TABLE users DROP COLUMN age;",
        ],
      ]
    ) {
      const path = await migration.createMigration(
        description,
        forward,
        undo,
      );
      say(`  made   ${path.slice(migrationsDir.length + 1)}`);
    }
  });
  await stamp("Apply them", async () => {
    say(`  applied ${await migration.migrate()} migrations`);
  });
  await stamp("Insert a row and read it", async () => {
    await db.insert("users", {
      name: "Migration Test User",
      email: "migrate@example.com",
      age: 30,
    });
    for (const row of await db.select("users")) {
      say(`  ${Deno.inspect(row, { breakLength: Infinity })}`);
    }
  });
  await stamp("Roll the last migration back", async () => {
    say(`  rolled back ${await migration.rollback()} migration`);
  });
  await stamp("Apply it again", async () => {
    say(`  applied ${await migration.migrate()} migration`);
  });
  await stamp("Look at the status", async () => {
    for (
      const { version, state, applied_at, description } of await migration
        .status()
    ) {
      say(
        `  ${version}  ${state}  ${applied_at?.toISOString()}  ${description}`,
      );
    }
  });
}

async function main(): Promise<void> {
  const server = await climb(["DATABASE_URL", "cockroach", "pglite"]);
  const folder = await Deno.makeTempDir({ prefix: "crdb_demo_" });
  try {
    say(`The demo runs on ${server.description}`);
    // The error waits until the database is dropped: a demo leaves nothing behind.
    const failure = await withDatabase(
      (db) => demo(db, folder).then(() => undefined, (error) => ({ error })),
      { url: server.url },
    );
    if (failure) throw failure.error;
    say("\nDone. The database and the files of the demo are gone.");
  } finally {
    await Deno.remove(folder, { recursive: true });
    await server.stop();
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(interruption.signal.aborted ? 130 : 1);
}
// The listener for Ctrl-C would keep the process from ending.
Deno.exit(0);
