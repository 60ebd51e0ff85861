/**
 * What `DatabaseError.kind` says of errors, the same on every server.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { Database } from "../src/database/database.ts";
import { identifier } from "../src/database/template.ts";
import { DatabaseError } from "../src/errors.ts";
import { databaseTest } from "./support/database.ts";

databaseTest(
  "DatabaseError.kind says what an error means, on every server",
  async (db) => {
    await db.execute("CREATE TABLE p (id INT PRIMARY KEY)");
    await db.execute(
      "CREATE TABLE t (id INT PRIMARY KEY, n INT NOT NULL CHECK (n > 0), p INT REFERENCES p (id))",
    );
    await db.execute("INSERT INTO t VALUES (1, 1)");
    const cases: [string, string][] = [
      ["INSERT INTO t VALUES (1, 1)", "unique-violation"],
      ["INSERT INTO t VALUES (2, 1, 9)", "foreign-key-violation"],
      ["INSERT INTO t VALUES (2, NULL)", "not-null-violation"],
      ["INSERT INTO t VALUES (2, 0)", "check-violation"],
      ["SELECT * FROM missing", "undefined"],
      ["SELECT missing FROM t", "undefined"],
      ["SELECT missing(1)", "undefined"],
      ["SELEC 1", "syntax"],
      ["SELECT 1 / 0", "other"],
    ];
    for (const [statement, kind] of cases) {
      const error = await assertRejects(
        () => db.query(statement),
        DatabaseError,
      );
      assertEquals(error.kind, kind, statement);
      assertEquals(error.statement, statement);
    }
    const error = await assertRejects(
      () => db.insert("t", { id: 1, n: 1 }),
      DatabaseError,
    );
    assertEquals([error.code, error.constraint], ["23505", "t_pkey"]);
  },
);

databaseTest(
  "DatabaseError.kind is permission where the user may not",
  async (db, { name, options }) => {
    await db.createTable("t", { id: "INT" });
    const user = `crdb_test_${name.slice(-12)}`;
    await db.execute`CREATE USER ${identifier(user)}`;
    try {
      await using other = new Database({ ...options, user });
      const error = await assertRejects(
        () => other.query("SELECT * FROM t"),
        DatabaseError,
      );
      assertEquals([error.kind, error.code], ["permission", "42501"]);
    } finally {
      await db.execute`DROP USER ${identifier(user)}`;
    }
  },
);

databaseTest(
  "DatabaseError.kind is retryable where a serializable transaction can't go on",
  async (db) => {
    await db.createTable("t", { id: "INT PRIMARY KEY", n: "INT" });
    await db.insert("t", { id: 1, n: 0 });
    const sessions = [await db.openSession(), await db.openSession()];
    const [a, b] = sessions;
    for (const session of sessions) {
      await session.query("BEGIN ISOLATION LEVEL SERIALIZABLE");
      await session.query("SELECT n FROM t WHERE id = 1");
    }
    const update = "UPDATE t SET n = n + 1 WHERE id = 1";
    const outcomes = await Promise.allSettled([
      a.query(update).then(() => a.query("COMMIT")),
      b.query(update).then(() => b.query("COMMIT")),
    ]);
    for (const session of sessions) await session.close();
    const failed = outcomes.filter(({ status }) => status === "rejected");
    assertEquals(failed.length, 1);
    const { reason } = failed[0] as PromiseRejectedResult;
    assertEquals([reason.kind, reason.code], ["retryable", "40001"]);
  },
);
