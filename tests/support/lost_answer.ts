/**
 * Answers that are lost: the client goes right after it has sent a schema change, or right before, and
 * the next run has to do the change exactly once.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { databaseTest, type ServerKind } from "./database.ts";
import { said, type Trial, withTrial } from "./trial.ts";

/** A schema change whose answer is lost. */
export interface Case {
  /** What the test is named after. */
  readonly name: string;
  /** What is there before. */
  readonly before: readonly string[];
  /** The schema change, after settings; `this_db` stands for the database. */
  readonly statement: string;
  /** What happens before the next run. */
  readonly between?: string;
  /** A query, and its only value at the end. */
  readonly end: readonly [string, unknown];
  /** Where it is tried. Default: on both servers. */
  readonly on?: readonly ServerKind[];
}

/** Loses the client, once when it has sent the schema change and once before. */
export async function lose(
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

/** Registers the tests of a case, in which the client is lost after the statement, and before it. */
export function lostAnswerTest(
  { name, before, statement, between, end, on }: Case,
): void {
  for (const cut of ["after", "before"] as const) {
    databaseTest(
      `migrate() does ${name} exactly once, where the client is lost ${cut} it`,
      () => {
        const more = [{ name: "900_change.sql", text: `${statement};` }];
        return withTrial({ strategy: "statements", more }, async (trial) => {
          for (const text of before) await trial.db.execute(text);
          const last = statement.split("; ").at(-1)!;
          await lose(trial, last.replaceAll("this_db", trial.database), cut);
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
      on && { on },
    );
  }
}
