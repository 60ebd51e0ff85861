import { assert, assertEquals, assertRejects } from "@std/assert";
import { basename, join, resolve, toFileUrl } from "@std/path";
import { MigrationError } from "../../src/errors.ts";
import { parseMigrations } from "../../src/migration/file.ts";
import {
  bundle,
  directory,
  writeMigration,
} from "../../src/migration/source.ts";

/** Runs a test in a folder of its own. */
async function withFolder(fn: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "crdb_source_" });
  try {
    await fn(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const NOW = new Date("2026-03-04T05:06:07Z");

Deno.test("directory() gives the names, paths and texts of the SQL files", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "2_b.sql"), "SELECT 'é'");
    await Deno.writeTextFile(join(folder, "1_a.sql"), "\ufeffSELECT 1\r\n");
    await Deno.writeTextFile(join(folder, "README.md"), "# Migrations");
    await Deno.writeTextFile(join(folder, ".gitkeep"), "");
    await Deno.writeTextFile(join(folder, ".3_c.sql"), "SELECT 3");
    await Deno.mkdir(join(folder, "4_d.sql"));
    const entries = [
      {
        name: "1_a.sql",
        path: join(folder, "1_a.sql"),
        text: "\ufeffSELECT 1\r\n",
      },
      { name: "2_b.sql", path: join(folder, "2_b.sql"), text: "SELECT 'é'" },
    ];
    assertEquals(await directory(folder).load(), entries);
    assertEquals(await directory(toFileUrl(folder)).load(), entries);
  }));

Deno.test("directory() follows a symbolic link to a file", () =>
  withFolder(async (folder) => {
    const target = join(folder, "target.txt");
    await Deno.writeTextFile(target, "SELECT 1");
    await Deno.symlink(target, join(folder, "1_a.sql"));
    const [{ text }] = await directory(folder).load();
    assertEquals(text, "SELECT 1");
  }));

Deno.test("directory() reads many files", () =>
  withFolder(async (folder) => {
    for (let i = 0; i < 200; i++) {
      await Deno.writeTextFile(join(folder, `${i}_a.sql`), `SELECT ${i}`);
    }
    const files = parseMigrations(await directory(folder).load());
    assertEquals(
      files.map(({ statements: [{ text }] }) => text),
      Array.from({ length: 200 }, (_, i) => `SELECT ${i}`),
    );
  }));

Deno.test("directory() names a missing folder in full", () =>
  withFolder(async (folder) => {
    const missing = join(folder, "none");
    const error = await assertRejects(
      () => directory(missing).load(),
      MigrationError,
    );
    assertEquals(
      error.message,
      `Cannot read the migrations folder "${
        resolve(missing)
      }": it does not exist; ` +
        "create it, or name another folder",
    );
    assert(error.cause instanceof Deno.errors.NotFound);
  }));

Deno.test("directory() refuses a file in place of a folder", () =>
  withFolder(async (folder) => {
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "");
    const error = await assertRejects(
      () => directory(file).load(),
      MigrationError,
    );
    assertEquals(
      error.message,
      `Cannot read the migrations folder "${file}": it is not a folder; name a folder`,
    );
  }));

Deno.test("directory() names a file that can't be read", () =>
  withFolder(async (folder) => {
    const path = join(folder, "1_a.sql");
    await Deno.symlink(join(folder, "none"), path);
    const [{ error }] = await directory(folder).load();
    assertEquals(
      error?.message,
      `Cannot read the migration "${path}": it does not exist; ` +
        "create it, or mend the link that names it",
    );
    assertEquals(error?.file, path);
    assert(error?.cause instanceof Deno.errors.NotFound);
  }));

Deno.test("directory() reads the others where a file can't be read", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "1_a.sql"), "SELECT 1");
    await Deno.writeFile(join(folder, "2_b.sql"), new Uint8Array([0xe9]));
    await Deno.symlink(folder, join(folder, "3_c.sql"));
    await Deno.writeTextFile(join(folder, "4_d.sql"), "SELECT 4");
    const entries = await directory(folder).load();
    assertEquals(
      entries.map(({ name, text, error }) => [name, text, error?.file]),
      [
        ["1_a.sql", "SELECT 1", undefined],
        ["2_b.sql", "", join(folder, "2_b.sql")],
        ["3_c.sql", "", join(folder, "3_c.sql")],
        ["4_d.sql", "SELECT 4", undefined],
      ],
    );
  }));

for (
  const [what, bytes, offset] of [
    ["Latin-1", [0x2d, 0x2d, 0x20, 0xe9, 0x0a], 3],
    ["a cut character", [0x20, 0xe2, 0x82], 1],
    ["a broken character", [0x41, 0xc3, 0x28], 1],
    ["UTF-16", [0xff, 0xfe, 0x2d, 0x00], 0],
    ["Latin-1 after a byte order mark", [0xef, 0xbb, 0xbf, 0xe9], 3],
  ] as const
) {
  Deno.test(`directory() names the first bad byte of ${what}`, () =>
    withFolder(async (folder) => {
      const path = join(folder, "1_a.sql");
      await Deno.writeFile(path, new Uint8Array(bytes));
      const [{ error }] = await directory(folder).load();
      assertEquals(
        error?.message,
        `Cannot read the migration "${path}": the byte at offset ${offset} is not UTF-8; ` +
          "save the file as UTF-8",
      );
    }));
}

Deno.test({
  name: "directory() leaves a missing permission to the caller",
  permissions: { read: false },
  async fn() {
    await assertRejects(
      () => directory("migrations").load(),
      Deno.errors.NotCapable,
    );
  },
});

Deno.test("bundle() gives the entries", async () => {
  const entries = [{ name: "1_a.sql", text: "SELECT 1" }];
  assertEquals(await bundle(entries).load(), entries);
});

Deno.test("writeMigration() makes the folder and the file", () =>
  withFolder(async (folder) => {
    const migrations = join(folder, "db", "migrations");
    const path = await writeMigration(
      migrations,
      {
        description: "Create users",
        forwardSql: "\n  CREATE TABLE users (id INT);\n",
        undoSql: "DROP TABLE users;",
      },
      { now: NOW },
    );
    assertEquals(path, join(migrations, "20260304050607_create_users.sql"));
    assertEquals(
      await Deno.readTextFile(path),
      "-- Migration: Create users\n\nCREATE TABLE users (id INT);\n\n-- @UNDO\n\nDROP TABLE users;\n",
    );
    const names = Array.from(Deno.readDirSync(migrations), ({ name }) => name);
    assertEquals(names, [basename(path)]);
  }));

Deno.test("writeMigration() gives the migrations of one second different, ordered versions", () =>
  withFolder(async (folder) => {
    const names: string[] = [];
    for (const description of ["b", "a", "b"]) {
      const path = await writeMigration(folder, {
        description,
        forwardSql: "SELECT 1",
      }, { now: NOW });
      names.push(basename(path));
    }
    assertEquals(names, [
      "20260304050607_b.sql",
      "20260304050608_a.sql",
      "20260304050609_b.sql",
    ]);
  }));

Deno.test("writeMigration() goes on after the last version, whoever wrote it", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "20270101000000_a.sql"), "SELECT 1");
    await Deno.writeTextFile(join(folder, ".20270101000001.new"), "");
    const path = await writeMigration(folder, {
      description: "b",
      forwardSql: "SELECT 1",
    }, { now: NOW });
    assertEquals(basename(path), "20270101000002_b.sql");
  }));

Deno.test("writeMigration() gives many writers at once different versions", () =>
  withFolder(async (folder) => {
    const url = import.meta.resolve("../testdata/migration_writer.ts");
    const written = await Promise.all(["a", "b"].map(async (description) => {
      const worker = new Worker(url, { type: "module" });
      const paths = await new Promise<string[]>((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage({ folder, description, count: 20, now: NOW });
      });
      worker.terminate();
      return paths;
    }));
    const files = parseMigrations(await directory(folder).load());
    assertEquals(files.length, 40);
    assertEquals(
      files.map(({ path }) => path).sort(),
      written.flat().sort(),
    );
    for (const paths of written) assertEquals(paths, [...paths].sort());
    const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
    assertEquals(names.filter((name) => name.startsWith(".")), []);
  }));

Deno.test("writeMigration() writes nothing where the SQL or the description is refused", () =>
  withFolder(async (folder) => {
    const migrations = join(folder, "migrations");
    await assertRejects(
      () =>
        writeMigration(migrations, {
          description: "a",
          forwardSql: "SELECT 'x",
        }),
      MigrationError,
      'Cannot create the migration "a": in line 1, column 8 of the forward SQL',
    );
    await assertRejects(
      () =>
        writeMigration(migrations, {
          description: "!",
          forwardSql: "SELECT 1",
        }),
      MigrationError,
      'Cannot name a migration "!"',
    );
    assertEquals(Array.from(Deno.readDirSync(folder)), []);
  }));

Deno.test("writeMigration() names a folder that can't be made", () =>
  withFolder(async (folder) => {
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "");
    const error = await assertRejects(
      () =>
        writeMigration(join(file, "migrations"), {
          description: "a",
          forwardSql: "SELECT 1",
        }),
      MigrationError,
    );
    assertEquals(
      error.message,
      `Cannot make the migrations folder "${join(file, "migrations")}": ` +
        "it is not a folder; name a folder",
    );
  }));
