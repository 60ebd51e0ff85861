/**
 * Migrations from beginning to end: two are made, applied, rolled back and applied again.
 *
 * Run it with the address of a database in `DATABASE_URL`:
 * `deno run -A examples/guide.ts`
 *
 * @module
 */

import { Database, Migration } from "@x/crdb";

const db = new Database();
const migrationsDir = await Deno.makeTempDir();

try {
  const migration = new Migration(db, { migrationsDir });

  await migration.createMigration(
    "create users table",
    `
    CREATE TABLE users (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        name TEXT NOT NULL,
        email TEXT UNIQUE NOT NULL,
        created_at TIMESTAMPTZ DEFAULT now()
    );
    `,
    `
    DROP TABLE users;
    `,
  );
  await migration.createMigration(
    "add age column",
    "ALTER TABLE users ADD COLUMN age INTEGER;",
    "ALTER TABLE users DROP COLUMN age;",
  );

  const migrations = await migration.loadMigrations();
  console.log(`Loaded ${migrations.length} migrations`);
  for (const { version, description } of migrations) {
    console.log(`Version ${version}: ${description}`);
  }

  const applied = await migration.migrate();
  console.log(`Applied ${applied} migrations`);

  await db.insert("users", {
    name: "Migration Test User",
    email: "migrate@example.com",
    age: 30,
  });
  const users = await db.select("users");
  console.log(`Users in database: ${users.length}`);

  const undone = await migration.rollback({ count: 1 });
  console.log(`Rolled back ${undone} migrations`);

  const again = await migration.migrate();
  console.log(`Applied ${again} migrations`);
} finally {
  await db.dropTable("users", { ifExists: true });
  for (
    const table of ["_migrations", "_migrations_journal", "_migrations_lease"]
  ) {
    await db.dropTable(table, { ifExists: true });
  }
  await db.close();
  await Deno.remove(migrationsDir, { recursive: true });
}
