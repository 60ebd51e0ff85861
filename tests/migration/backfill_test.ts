import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Database } from "../../src/database/database.ts";
import { MigrationError } from "../../src/errors.ts";
import { Migration } from "../../src/migration/migrator.ts";
import type { MigrationOptions } from "../../src/migration/options.ts";
import { bundle } from "../../src/migration/source.ts";
import { databaseTest } from "../support/database.ts";

const FILL = "CREATE TABLE t (id INT PRIMARY KEY, k INT, v INT DEFAULT 0);\n" +
  "INSERT INTO t (id, k) VALUES (1, 1), (2, 2), (3, NULL), (4, 4), (5, 5);\n";
const UPDATE = "UPDATE t SET v = v + 1 WHERE id >= $from AND id <= $to;";
const KEYED = "UPDATE t SET v = v + 1 WHERE k >= $from AND k <= $to;";

function migrationOf(
  db: Database,
  text: string,
  { fill = FILL, ...options }: MigrationOptions & { fill?: string } = {},
) {
  const source = bundle([{ name: "1_fill.sql", text: fill + text }]);
  return new Migration(db, { source, ...options });
}

/** How often each row was changed. */
async function changes(db: Database): Promise<number[]> {
  const rows = await db.query<{ v: number }>("SELECT v FROM t ORDER BY id");
  return rows.map(({ v }) => v);
}

databaseTest("a backfill changes every row once", async (db) => {
  for (
    const condition of ["id > $from AND id < $to", "id BETWEEN $from AND $to"]
  ) {
    const text =
      `-- @BACKFILL table=t key=id batch=2\nUPDATE t SET v = v + 1 WHERE ${condition};`;
    await migrationOf(db, text).migrate();
    assertEquals(await changes(db), [1, 1, 1, 1, 1]);
    await db.execute(
      "DROP TABLE t, _migrations, _migrations_journal, _migrations_lease",
    );
  }
});

databaseTest(
  "a backfill refuses a key that allows NULL, and changes nothing",
  async (db) => {
    const text = `-- @BACKFILL table=t key=k batch=2\n${KEYED}`;
    const error = await assertRejects(
      () => migrationOf(db, text).migrate(),
      MigrationError,
    );
    assertEquals(
      error.message,
      `Cannot apply 1_fill.sql:4:1: the key k of t allows NULL, and a backfill would leave out the rows that have none; name a key that is NOT NULL, such as the primary key
  UPDATE t SET v = v + 1 WHERE k >= $from AND k <= $to;
  ^
Statements 1 to 2 are done and noted, the rest is not; the migration is not applied. Mend the file from statement 3 on, and run migrate again.`,
    );
    assertEquals([error.line, error.column], [4, 1]);
    assertEquals(await changes(db), [0, 0, 0, 0, 0]);
    await migrationOf(db, `-- @BACKFILL table=t key=id batch=2\n${UPDATE}`)
      .migrate();
    assertEquals(await changes(db), [1, 1, 1, 1, 1]);
  },
);

databaseTest(
  "a backfill of a table that isn't there names it, at the statement's start",
  async (db) => {
    const text = `-- @BACKFILL table=nope key=id\n${UPDATE}`;
    const error = await assertRejects(
      () => migrationOf(db, text).migrate(),
      MigrationError,
    );
    assertEquals(error.message.split("\n").slice(0, 3), [
      'Cannot apply 1_fill.sql:4:1: relation "nope" does not exist (SQLSTATE 42P01)',
      `  ${UPDATE}`,
      "  ^",
    ]);
  },
);

databaseTest(
  "an error in a chunk stands at its place in the file",
  async (db) => {
    const text =
      `-- @BACKFILL table=t key=id\nUPDATE t SET v = v + 1 WHERE id > $from AND id < $to AND nope = 1;`;
    const error = await assertRejects(
      () => migrationOf(db, text).migrate(),
      MigrationError,
    );
    assertEquals([error.line, error.column], [
      4,
      text.split("\n")[1].indexOf("nope") + 1,
    ]);
  },
  { on: ["postgresql"] },
);

databaseTest(
  "a backfill goes on behind a key with NUL characters",
  async (db) => {
    const fill = "CREATE TABLE t (id STRING PRIMARY KEY, v INT DEFAULT 0);\n" +
      "INSERT INTO t (id) VALUES (e'a'), (e'a\\x00\\'\\\\'), (e'a\\x00b'), (e'b');\n";
    const text = `-- @BACKFILL table=t key=id batch=1\n${UPDATE}`;
    await migrationOf(db, text, { fill }).migrate();
    assertEquals(await changes(db), [1, 1, 1, 1]);
  },
  { on: ["cockroachdb"] },
);

databaseTest(
  "a backfill pauses between its chunks, and not behind the last",
  async (db) => {
    const text = `-- @BACKFILL table=t key=id batch=5 pause=1h\n${UPDATE}`;
    const signal = AbortSignal.timeout(60_000);
    assertEquals(await migrationOf(db, text).migrate({ signal }), 1);
    assertEquals(await changes(db), [1, 1, 1, 1, 1]);
  },
);

databaseTest(
  "an interruption ends the pause of a backfill at once, and the next run goes on from there",
  async (db) => {
    const controller = new AbortController();
    const options: MigrationOptions = {
      onEvent: ({ type }) => {
        if (type === "backfill-progress") {
          controller.abort(new Error("stop here"));
        }
      },
    };
    const start = performance.now();
    await assertRejects(
      () =>
        migrationOf(
          db,
          `-- @BACKFILL table=t key=id batch=2 pause=60s\n${UPDATE}`,
          options,
        )
          .migrate({ signal: controller.signal }),
      Error,
      "stop here",
    );
    assert(performance.now() - start < 30_000);
    assertEquals(await changes(db), [1, 1, 0, 0, 0]);
    await migrationOf(db, `-- @BACKFILL table=t key=id batch=2\n${UPDATE}`)
      .migrate();
    assertEquals(await changes(db), [1, 1, 1, 1, 1]);
  },
);

databaseTest(
  "a backfill that fails goes on after its last chunk, by the same key",
  async (db) => {
    const directive = "-- @BACKFILL table=t key=id batch=2\n";
    const failing = UPDATE.replace("v + 1", "v + 1 + (0 / (4 - id))::INT");
    const error = await assertRejects(
      () => migrationOf(db, directive + failing).migrate(),
      MigrationError,
    );
    assertMatch(error.message, /division by zero/);
    assertEquals(
      error.message.split("\n").at(-1),
      "Statements 1 to 2 are done and noted, statement 3 up to key 2, the rest is not; the migration is not applied. " +
        "Mend the file from statement 3 on, and run migrate again: it goes on behind that key.",
    );
    assertEquals(await changes(db), [1, 1, 0, 0, 0]);
    const [{ upTo }] = await migrationOf(db, directive + failing).status();
    assertEquals(upTo, "2");
    const { message } = await assertRejects(
      () =>
        migrationOf(db, (directive + UPDATE).replaceAll("id", "k")).migrate(),
      MigrationError,
    );
    assertEquals(
      message,
      "Cannot go on with 1_fill.sql:4: statement 3 was the backfill of t that is done up to the id 2, and now may be another one; " +
        "restore its place and its directive, mend only what stands below that, and leave other backfills of t to a later migration",
    );
    const inFront = migrationOf(
      db,
      `ALTER TABLE t DROP COLUMN k;\n${directive}${UPDATE}`,
    );
    const [problem] = (await inFront.plan()).problems;
    const here = message.replace(":4:", ":3:");
    assertEquals([problem.type, problem.message], ["edited", here]);
    await assertRejects(() => inFront.migrate(), MigrationError, here);
    assertEquals(await changes(db), [1, 1, 0, 0, 0]);
    await migrationOf(db, directive + UPDATE).migrate();
    assertEquals(await changes(db), [1, 1, 1, 1, 1]);
  },
);

databaseTest(
  "a backfill by a CHAR(n) key changes every row once, and goes on behind a key that was noted with blanks",
  async (db) => {
    const fill =
      "CREATE TABLE t (k CHAR(10) PRIMARY KEY, id INT, v INT DEFAULT 0);\n" +
      "INSERT INTO t (k, id) VALUES ('A1', 1), ('B22', 2), (E'B22\\t', 3), ('C333', 4), ('D4444', 5);\n";
    const text = `-- @BACKFILL table=t key=k batch=2\n${KEYED}`;
    const controller = new AbortController();
    const cursors: string[] = [];
    const options: MigrationOptions = {
      onEvent: (event) => {
        if (event.type !== "backfill-progress") return;
        cursors.push(event.cursor);
        controller.abort(new Error("stop here"));
      },
    };
    const { signal } = controller;
    await assertRejects(
      () => migrationOf(db, text, { fill, ...options }).migrate({ signal }),
      Error,
      "stop here",
    );
    assertEquals(await changes(db), [1, 1, 0, 0, 0]);
    assertEquals(cursors, ["B22"]);
    await db.execute(
      "UPDATE _migrations_journal SET progress = replace(progress, 'B22', 'B22       ')",
    );
    await migrationOf(db, text, { fill, ...options }).migrate();
    assertEquals(await changes(db), [1, 1, 1, 1, 1]);
    assertEquals(cursors, ["B22", "C333", "D4444"]);
  },
);

databaseTest(
  "a backfill by a FLOAT key changes every row once, however many digits the migration has set",
  async (db) => {
    const fill =
      "CREATE TABLE t (k FLOAT8 PRIMARY KEY, id INT, v INT DEFAULT 0);\n" +
      "INSERT INTO t (k, id) VALUES (0.09999999999999998, 1), (0.2, 2), (0.7999999999999999, 3);\n" +
      "SET extra_float_digits = 0;\n";
    const text = `-- @BACKFILL table=t key=k batch=1\n${KEYED}`;
    await migrationOf(db, text, { fill }).migrate();
    assertEquals(await changes(db), [1, 1, 1]);
  },
);

databaseTest(
  "a backfill refuses a key that CockroachDB compares with no text, and changes nothing",
  async (db) => {
    const fill =
      "CREATE TABLE t (k STRING COLLATE en PRIMARY KEY, id INT NOT NULL, v INT DEFAULT 0);\n" +
      "INSERT INTO t (k, id) VALUES ('a', 1), ('b', 2);\n";
    const text = `-- @BACKFILL table=t key=k\n${KEYED}`;
    const error = await assertRejects(
      () => migrationOf(db, text, { fill }).migrate(),
      MigrationError,
    );
    assertEquals(
      error.message.split("\n")[0],
      "Cannot apply 1_fill.sql:4:1: the key k of t has the collation en, and CockroachDB compares no bounds with such a key; " +
        "name a key without a collation",
    );
    assertEquals(await changes(db), [0, 0]);
    await migrationOf(db, `-- @BACKFILL table=t key=id\n${UPDATE}`, { fill })
      .migrate();
    assertEquals(await changes(db), [1, 1]);
  },
  { on: ["cockroachdb"] },
);
