import { assertEquals } from "@std/assert";
import { databaseTest } from "../support/database.ts";
import { said, type Trial, withTrial } from "../support/trial.ts";

interface Case {
  /** What the test is named after. */
  readonly name: string;
  /** What is there before. */
  readonly before: readonly string[];
  /** The schema change whose answer is lost. */
  readonly statement: string;
  /** What happens before the next run. */
  readonly between?: string;
  /** A query, and its only value at the end. */
  readonly end: readonly [string, unknown];
}

const TWO = [
  "CREATE SCHEMA s",
  "CREATE TABLE public.t (a INT8)",
  "CREATE TABLE s.t (a INT8)",
];
const PATH = "SET search_path = s, public";
const CHECKS =
  "SELECT count(*)::INT8 AS n FROM pg_constraint WHERE conrelid = 'public.t'::REGCLASS AND contype = 'c'";

const CASES: readonly Case[] = [
  {
    name: "DROP TABLE of a name that two schemas have",
    before: TWO,
    statement: `${PATH}; DROP TABLE t`,
    end: [
      "SELECT count(*)::INT8 AS n FROM pg_class WHERE relname = 't'",
      1,
    ],
  },
  {
    name: "DROP SEQUENCE IF EXISTS of a name that two schemas have",
    before: [
      "CREATE SCHEMA s",
      "CREATE SEQUENCE public.q",
      "CREATE SEQUENCE s.q",
    ],
    statement: `${PATH}; DROP SEQUENCE IF EXISTS q`,
    end: ["SELECT count(*)::INT8 AS n FROM pg_class WHERE relname = 'q'", 1],
  },
  {
    name: "ALTER TABLE … RENAME of a name that two schemas have",
    before: TWO,
    statement: `${PATH}; ALTER TABLE t RENAME TO u`,
    end: ["SELECT count(*)::INT8 AS n FROM pg_class WHERE relname = 't'", 1],
  },
  {
    name: "TRUNCATE, before rows that came later",
    before: [
      "CREATE TABLE public.t (a INT8)",
      "INSERT INTO public.t VALUES (1)",
    ],
    statement: "TRUNCATE t",
    between: "INSERT INTO public.t VALUES (2)",
    end: ["SELECT a AS n FROM public.t", 2],
  },
  {
    name: "ADD CHECK without a name",
    before: ["CREATE TABLE public.t (a INT8)"],
    statement: "ALTER TABLE t ADD CHECK (a > 0)",
    end: [CHECKS, 1],
  },
];

/** Loses the client, once when it has sent the schema change and once before. */
async function lose(
  trial: Trial,
  statement: string,
  cut: "before" | "after",
): Promise<void> {
  const { error } = await trial.behind("migrate", {
    onFrame: ({ direction, text }) =>
      direction === "client" && text === statement ? { cut } : undefined,
  });
  if (error === undefined) throw new Error("the statement wasn't sent");
  await trial.endLease();
}

for (const { name, before, statement, between, end } of CASES) {
  for (const cut of ["after", "before"] as const) {
    databaseTest(
      `migrate() does ${name} exactly once, where the client is lost ${cut} it`,
      () => {
        const more = [{ name: "900_change.sql", text: `${statement};` }];
        return withTrial({ strategy: "statements", more }, async (trial) => {
          for (const text of before) await trial.db.execute(text);
          await lose(trial, statement.split("; ").at(-1)!, cut);
          if (between !== undefined && cut === "after") {
            await trial.db.execute(between);
          }
          await trial.run("migrate").catch((error) => {
            throw new Error(said(error));
          });
          if (between !== undefined && cut === "before") {
            await trial.db.execute(between);
          }
          const [query, value] = end;
          assertEquals(await trial.db.query(query), [{ n: value }]);
          assertEquals((await trial.journal()).applied.length, 2);
        });
      },
    );
  }
}
