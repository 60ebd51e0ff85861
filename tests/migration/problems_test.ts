import { assertEquals, assertRejects } from "@std/assert";
import { MigrationError } from "../../src/errors.ts";
import { Migration } from "../../src/migration/migrator.ts";
import { databaseTest } from "../support/database.ts";
import { leaveIntent, THREE, withMigrations } from "../support/migrations.ts";

/** Three migrations, of which the last can't be read yet. */
const WITH_TEMPLATE = { ...THREE, "3_fill_b.sql": "-- to be written" };
const NO_STATEMENT =
  "3_fill_b.sql:1:1: it has no forward statement; write one, or delete the file";

databaseTest(
  "a file that can't be read stops migrate(), and nothing else",
  async (db) => {
    await withMigrations(
      db,
      THREE,
      (migration) => migration.migrate({ targetVersion: "2" }),
    );
    await withMigrations(db, WITH_TEMPLATE, async (migration, folder) => {
      const message = `Cannot read the migration ${folder}/${NO_STATEMENT}`;
      const problem = {
        type: "unreadable",
        message,
        version: "3",
        file: `${folder}/3_fill_b.sql`,
        line: 1,
      } as const;
      for (const run of [() => migration.migrate(), () => migration.redo()]) {
        await assertRejects(run, MigrationError, message);
      }
      assertEquals(await migration.verify(), [problem]);
      assertEquals((await migration.plan()).problems, [problem]);
      assertEquals((await migration.plan({ targetVersion: "3" })).problems, [
        problem,
      ]);
      const [, , status] = await migration.status();
      assertEquals(status, {
        version: "3",
        description: `${folder}/3_fill_b.sql`,
        state: "unreadable",
        applied: false,
        applied_at: null,
        path: `${folder}/3_fill_b.sql`,
        error: message,
      });
      assertEquals(await migration.rollback(), 1);
      assertEquals(await migration.reset(), 1);
    });
  },
);

databaseTest(
  "verify() and status() name every file that can't be read, and rollback() one that it needs",
  async (db) => {
    await withMigrations(db, THREE, async (migration, folder) => {
      await migration.migrate();
      await Deno.writeTextFile(`${folder}/3_fill_b.sql`, "SELECT 'x");
      await Deno.writeTextFile(`${folder}/01_twice.sql`, "SELECT 1;");
      await Deno.writeTextFile(`${folder}/users.sql`, "SELECT 1;");
      const messages = [
        `Cannot read the migration ${folder}/3_fill_b.sql:1:8: the string is not closed; close it with '`,
        'Cannot read the migration "users.sql": its name is not of the form <version>_<description>.sql, ' +
        "where the version is digits; rename it, for example to 20230101120000_create_users.sql",
        `Cannot order the migrations: "${folder}/01_twice.sql" and "${folder}/1_create_a.sql" have the same version; ` +
        "give one of them another",
      ];
      assertEquals(
        (await migration.verify()).map(({ message }) => message),
        messages,
      );
      const states = (await migration.status()).map((
        { version, state, applied },
      ) => [version, state, applied]);
      assertEquals(states, [
        ["", "unreadable", false],
        ["1", "unreadable", true],
        ["2", "applied", true],
        ["3", "unreadable", true],
      ]);
      await assertRejects(
        () => migration.rollback(),
        MigrationError,
        messages[0],
      );
      await Deno.writeFile(`${folder}/3_fill_b.sql`, new Uint8Array([0xe9]));
      messages[0] =
        `Cannot read the migration "${folder}/3_fill_b.sql": the byte at offset 0 is not UTF-8; save the file as UTF-8`;
      assertEquals(
        (await migration.verify()).map(({ message }) => message),
        messages,
      );
      await assertRejects(
        () => migration.rollback(),
        MigrationError,
        messages[0],
      );
    });
  },
);

databaseTest(
  "a file without a text that can be had stops migrate(), and nothing else",
  async (db) => {
    await withMigrations(db, THREE, async (migration, folder) => {
      await migration.migrate({ targetVersion: "1" });
      const [second, third] = ["2_create_b.sql", "3_fill_b.sql"]
        .map((name) => `${folder}/${name}`);
      await Deno.writeFile(second, new Uint8Array([0x2d, 0x2d, 0xe9]));
      await Deno.remove(third);
      await Deno.symlink(`${folder}/none`, third);
      const messages = [
        `Cannot read the migration "${second}": the byte at offset 2 is not UTF-8; save the file as UTF-8`,
        `Cannot read the migration "${third}": it does not exist; create it, or mend the link that names it`,
      ];
      const told = ({ message }: { message: string }) => message;
      assertEquals((await migration.verify()).map(told), messages);
      assertEquals((await migration.plan()).problems.map(told), messages);
      const states = (await migration.status()).map((
        { version, state, path, error },
      ) => [version, state, path, error]);
      assertEquals(states, [
        ["1", "applied", `${folder}/1_create_a.sql`, undefined],
        ["2", "unreadable", second, messages[0]],
        ["3", "unreadable", third, messages[1]],
      ]);
      for (
        const run of [
          () => migration.migrate(),
          () => migration.loadMigrations(),
        ]
      ) {
        assertEquals(
          (await assertRejects(run, MigrationError)).message,
          messages[0],
        );
      }
      assertEquals(await migration.rollback(), 1);
    });
  },
);

databaseTest(
  "verify() tells of the file that a source rejects with",
  async (db) => {
    const error = new MigrationError("Cannot unpack 1_a.sql: mend it", {
      file: "1_a.sql",
    });
    const source = { load: () => Promise.reject(error) };
    const [problem] = await new Migration(db, { source }).verify();
    assertEquals(problem.type, "unreadable");
    assertEquals(problem.message, error.message);
  },
);

databaseTest(
  "createMigration() refuses what the reader would refuse, and writes nothing",
  async (db) => {
    await withMigrations(db, {}, async (migration, folder) => {
      for (const sql of ["", "-- todo", "BEGIN; SELECT 1; COMMIT"]) {
        await assertRejects(
          () => migration.createMigration("x", sql),
          MigrationError,
          'Cannot create the migration "x": ',
        );
      }
      assertEquals([...Deno.readDirSync(folder)], []);
    });
  },
);

const HALF =
  "CREATE TABLE a (id INT PRIMARY KEY);\nINSERT INTO a VALUES (1);\nSELECT nonsense();\n-- @UNDO\nDROP TABLE a;";

databaseTest(
  "what is half applied stays in sight without its file, and redo() and baseline() name the way out",
  async (db) => {
    const options = { strategy: "statements" } as const;
    await withMigrations(
      db,
      { "1_half.sql": HALF },
      async (migration, folder) => {
        await assertRejects(() => migration.migrate(), MigrationError);
        await assertRejects(
          () => migration.redo(),
          MigrationError,
          "Cannot roll back: 1 is half applied, with 2 statements of it done; finish it with migrate first",
        );
        await assertRejects(
          () => migration.baseline("1"),
          MigrationError,
          "Cannot take a baseline: 1 is half applied; finish it with migrate first",
        );
        await Deno.remove(`${folder}/1_half.sql`);
        const [status] = await migration.status();
        assertEquals([status.version, status.state, status.done, status.path], [
          "1",
          "half-applied",
          2,
          null,
        ]);
      },
      options,
    );
    const undo = {
      "1_half.sql": "SELECT 1;\n-- @UNDO\nSELECT 2;\nSELECT nonsense();",
    };
    await withMigrations(db, undo, async (migration) => {
      await migration.migrate();
      await assertRejects(() => migration.rollback(), MigrationError);
      await assertRejects(
        () => migration.baseline("1"),
        MigrationError,
        "Cannot take a baseline: 1 is half undone; finish it with rollback first",
      );
    }, { ...options, table: "_others" });
  },
);

databaseTest(
  "what became of a statement in flight isn't told by the text that has taken its place",
  (db) =>
    withMigrations(db, THREE, async (migration, folder) => {
      const file = `${folder}/2_create_b.sql`;
      await leaveIntent(db, migration);
      await db.execute("CREATE TABLE b (id INT PRIMARY KEY)");
      const refused = `Cannot go on with ${file}:1: statement 1 was edited`;
      const refusals = [
        () => migration.migrate(),
        () => migration.repair({ version: "2", outcome: "done" }),
        () => migration.repair({ version: "2", outcome: "not-done" }),
      ];
      for (
        const text of [
          "CREATE TABLE b (id TEXT PRIMARY KEY);",
          "INSERT INTO a VALUES (1);",
        ]
      ) {
        await Deno.writeTextFile(file, text);
        for (const run of refusals) {
          await assertRejects(run, MigrationError, refused);
        }
      }
      await Deno.writeTextFile(file, THREE["2_create_b.sql"]);
      assertEquals(await migration.migrate({ targetVersion: "2" }), 1);
    }),
);

databaseTest(
  "an intent that was noted without a hash is gone on with",
  (db) =>
    withMigrations(db, THREE, async (migration) => {
      await migration.migrate({ targetVersion: "1" });
      const progress =
        '{"direction":"up","done":[],"cursor":null,"error":null,"intent":0}';
      await db.execute(
        "UPDATE _migrations_journal SET version = '2', progress = $1, intent_at = now(), intent_before = false",
        [progress],
      );
      await db.execute("CREATE TABLE b (id INT PRIMARY KEY)");
      assertEquals((await migration.status())[1].unsettled, 1);
      assertEquals(await migration.migrate(), 2);
    }),
);
