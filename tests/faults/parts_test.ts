import { assertEquals, assertStringIncludes } from "@std/assert";
import { databaseTest } from "../support/database.ts";
import { chosenCases } from "../support/faults.ts";
import { type Case, lose, lostAnswerTest } from "../support/lost_answer.ts";
import { said, withTrial } from "../support/trial.ts";

const T = "CREATE TABLE public.t (a INT8, b INT8)";
const IN_T = "FROM pg_attribute WHERE attrelid = 'public.t'::REGCLASS AND";

/** Counts the columns of the table that have one of the names. */
function columns(...names: string[]): string {
  const list = names.map((name) => `'${name}'`).join(", ");
  return `SELECT count(*)::INT8 AS n ${IN_T} attname IN (${list})`;
}

/** Counts the table's indexes. */
const INDEXES =
  "SELECT count(*)::INT8 AS n FROM pg_index WHERE indrelid = 'public.t'::REGCLASS AND NOT indisprimary";

/** Counts the constraints of a type, by its letter. */
function constraints(letter: string): string {
  return "SELECT count(*)::INT8 AS n FROM pg_constraint " +
    `WHERE conrelid = 'public.t'::REGCLASS AND contype = '${letter}'`;
}

const CASES: readonly Case[] = [
  {
    name: "ADD COLUMN of a table named with its database",
    before: [T],
    statement: "ALTER TABLE this_db.public.t ADD COLUMN z INT",
    end: [columns("z"), 1],
  },
  {
    name: "DROP TABLE named with its database",
    before: [T],
    statement: "DROP TABLE this_db.public.t",
    end: ["SELECT count(*)::INT8 AS n FROM pg_class WHERE relname = 't'", 0],
  },
  {
    name: "TRUNCATE of a table named with its database",
    before: [T, "INSERT INTO public.t VALUES (1)"],
    statement: "TRUNCATE this_db.public.t",
    between: "INSERT INTO public.t VALUES (2)",
    end: ["SELECT a AS n FROM public.t", 2],
  },
  {
    name: "ADD CHECK without a name to a table named with its database",
    before: [T],
    statement: "ALTER TABLE this_db.public.t ADD CHECK (a > 0)",
    end: [constraints("c"), 1],
  },
  {
    name: "CREATE SCHEMA named with its database",
    before: [],
    statement: "CREATE SCHEMA this_db.s",
    end: [
      "SELECT count(*)::INT8 AS n FROM pg_namespace WHERE nspname = 's'",
      1,
    ],
    on: ["cockroachdb"],
  },
  {
    name: "CREATE TABLE of a name that the servers fold differently",
    before: [],
    statement: "CREATE TABLE Ärger (a INT8)",
    end: [
      "SELECT count(*)::INT8 AS n FROM pg_class WHERE relname LIKE '%rger'",
      1,
    ],
  },
  {
    name: "TYPE of a user's with USING",
    before: [
      "CREATE TYPE public.temper AS ENUM ('sad', 'ok')",
      "CREATE TABLE public.t (a TEXT)",
      "INSERT INTO public.t VALUES ('sad')",
    ],
    statement:
      "ALTER TABLE t ALTER a TYPE temper USING CASE a::TEXT WHEN 'sad' THEN 'ok' ELSE 'sad' END::temper",
    end: ["SELECT count(*)::INT8 AS n FROM public.t WHERE a = 'ok'", 1],
    on: ["postgresql"],
  },
  {
    name: "DROP STORED",
    before: [
      "CREATE TABLE public.t (a INT8, b INT8 AS (a + 1) STORED)",
    ],
    statement: "ALTER TABLE t ALTER COLUMN b DROP STORED",
    end: [
      `SELECT count(*)::INT8 AS n ${IN_T} attgenerated <> ''`,
      0,
    ],
    on: ["cockroachdb"],
  },
  {
    name: "DROP EXPRESSION",
    before: [
      "CREATE TABLE public.t (a INT8, b INT8 GENERATED ALWAYS AS (a + 1) STORED)",
    ],
    statement: "ALTER TABLE t ALTER COLUMN b DROP EXPRESSION",
    end: [
      "SELECT count(*)::INT8 AS n FROM pg_attrdef WHERE adrelid = 'public.t'::REGCLASS",
      0,
    ],
    on: ["postgresql"],
  },
  {
    name: "ADD COLUMN and SET DEFAULT at once",
    before: [T],
    statement: "ALTER TABLE t ADD COLUMN c INT, ALTER COLUMN a SET DEFAULT 5",
    end: [columns("c"), 1],
  },
  {
    name: "ADD CHECK twice at once",
    before: [T],
    statement: "ALTER TABLE t ADD CHECK (a > 0), ADD CHECK (b > 0)",
    end: [constraints("c"), 2],
  },
  {
    name: "ADD COLUMN and SET (…) at once",
    before: [T],
    statement: "ALTER TABLE t ADD COLUMN c INT, SET (fillfactor=70)",
    end: [columns("c"), 1],
    on: ["postgresql"],
  },
  {
    name: "RENAME COLUMN twice at once",
    before: [T],
    statement: "ALTER TABLE t RENAME COLUMN a TO x, RENAME COLUMN b TO y",
    end: [columns("x", "y"), 2],
    on: ["cockroachdb"],
  },
  {
    name: "DROP COLUMN IF EXISTS of none and DROP COLUMN at once",
    before: [T],
    statement: "ALTER TABLE t DROP COLUMN IF EXISTS nope, DROP COLUMN b",
    end: [columns("b"), 0],
  },
  {
    name:
      "ADD COLUMN IF NOT EXISTS of one that is there and ADD COLUMN at once",
    before: [T],
    statement: "ALTER TABLE t ADD COLUMN IF NOT EXISTS a INT, ADD COLUMN z INT",
    end: [columns("z"), 1],
  },
  {
    name: "SET NOT NULL where it is so and ADD COLUMN at once",
    before: ["CREATE TABLE public.t (a INT8 NOT NULL)"],
    statement: "ALTER TABLE t ALTER a SET NOT NULL, ADD COLUMN z INT",
    end: [columns("z"), 1],
  },
  {
    name: "DROP DEFAULT where there is none and DROP COLUMN at once",
    before: [T],
    statement: "ALTER TABLE t ALTER a DROP DEFAULT, DROP COLUMN b",
    end: [columns("b"), 0],
  },
  {
    name: "DROP CONSTRAINT and ADD CHECK without a name at once",
    before: [T, "ALTER TABLE public.t ADD CONSTRAINT k CHECK (a > 0)"],
    statement: "ALTER TABLE t DROP CONSTRAINT k, ADD CHECK (a > 1)",
    end: [constraints("c"), 1],
  },
  {
    name: "CREATE INDEX without a name beside one on the same columns",
    before: [T, "CREATE INDEX ON public.t (a)"],
    statement: "CREATE INDEX ON t (a)",
    end: [INDEXES, 2],
  },
  {
    name: "ADD UNIQUE without a name beside one on the same columns",
    before: [T, "ALTER TABLE public.t ADD UNIQUE (a)"],
    statement: "ALTER TABLE t ADD UNIQUE (a)",
    end: [constraints("u"), 2],
  },
  {
    name: "ADD FOREIGN KEY without a name beside one on the same columns",
    before: [
      T,
      "CREATE TABLE public.p (id INT8 PRIMARY KEY)",
      "ALTER TABLE public.t ADD FOREIGN KEY (a) REFERENCES public.p (id)",
    ],
    statement: "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p (id)",
    end: [constraints("f"), 2],
  },
  {
    name: "ADD EXCLUDE without a name beside another one",
    before: [T, "ALTER TABLE public.t ADD EXCLUDE USING btree (a WITH =)"],
    statement: "ALTER TABLE t ADD EXCLUDE USING btree (a WITH =)",
    end: [constraints("x"), 2],
    on: ["postgresql"],
  },
];

for (const one of chosenCases(CASES)) lostAnswerTest(one);

databaseTest(
  "migrate() says which parts of a statement took effect, where it asks about the rest",
  () => {
    const statement =
      "ALTER TABLE t RENAME COLUMN a TO x, ADD CONSTRAINT u UNIQUE (b)";
    const more = [{ name: "900_change.sql", text: statement }];
    return withTrial({ strategy: "statements", more }, async (trial) => {
      await trial.db.execute(T);
      await trial.db.execute("INSERT INTO public.t VALUES (1, 7), (2, 7)");
      await lose(trial, statement, "after");
      const error = await trial.run("migrate").then(() => undefined, said);
      assertStringIncludes(
        error ?? "",
        "A part of it took effect (column a renamed to x), the rest did not. Do the rest, and run: crdb repair 900 --done\n" +
          "Or undo that part, and run: crdb repair 900 --not-done",
      );
      assertEquals((await trial.journal()).applied.length, 1);
    });
  },
  { on: ["cockroachdb"] },
);
