import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Strategy } from "../../src/migration/run.ts";
import { databaseTest, server } from "../support/database.ts";
import type { Action as Fault, ProxyFrame } from "../support/fault_proxy.ts";
import { strategiesOf } from "../support/faults.ts";
import { type Action, said, type Trial, withTrial } from "../support/trial.ts";

/** Migrations whose last note goes out by itself, and together with COMMIT. */
const LAST = [
  [
    "a schema change",
    "UPDATE counters SET n = n + 1;\nALTER TABLE accounts ADD COLUMN extra INT8;\n-- @UNDO\n" +
    "UPDATE counters SET n = n - 1;\nALTER TABLE accounts DROP COLUMN extra;",
  ],
  [
    "a data statement",
    "UPDATE counters SET n = n + 1;\n-- @UNDO\nUPDATE counters SET n = n - 1;",
  ],
] as const;

/** What each direction notes last. */
const NOTES = {
  migrate: /INSERT INTO \S*\b_migrations"? /,
  rollback: /DELETE FROM \S*\b_migrations"? /,
};

/** The frame of the note, and the last one of its answer. */
const RUNS = [
  ["migrate", "Query"],
  ["rollback", "Query"],
  ["migrate", "ReadyForQuery"],
  ["rollback", "ReadyForQuery"],
] as const;

function isLastNote(action: Action, { direction, text }: ProxyFrame): boolean {
  return direction === "client" && NOTES[action].test(text ?? "");
}

async function versions(trial: Trial): Promise<string[]> {
  const { applied } = await trial.journal();
  return applied.map(({ version }) => version).sort();
}

for (const strategy of strategiesOf(server.kind)) {
  for (const [last, text] of LAST) {
    lostNoteTest(strategy, last, text);
  }
}

function lostNoteTest(strategy: Strategy, last: string, text: string): void {
  const more = [{ name: "900_last.sql", text }];
  databaseTest(
    `a run goes on where the answer to the last note is lost, behind ${last} (${strategy})`,
    () =>
      withTrial({ strategy, more }, async (trial) => {
        for (const [action, lost] of RUNS) {
          let noted: number | undefined;
          let cuts = 0;
          const { error } = await trial.behind(action, {
            onFrame: (frame): Fault | undefined => {
              if (cuts > 0) return;
              if (isLastNote(action, frame)) noted = frame.connection;
              if (noted !== frame.connection || frame.type !== lost) return;
              cuts++;
              return { cut: frame.direction === "client" ? "after" : "before" };
            },
          });
          assertEquals([cuts, error], [1, undefined], said(error));
          assertEquals(
            await versions(trial),
            action === "migrate" ? ["001", "900"] : ["001"],
          );
        }
      }),
  );

  databaseTest(
    `a rollback whose last note may be written isn't to be run blindly again, behind ${last} (${strategy})`,
    () =>
      withTrial({ strategy, more }, async (trial) => {
        await trial.run("migrate");
        let isLost = false;
        const { error } = await trial.behind("rollback", {
          onFrame: (frame): Fault | undefined => {
            if (isLost) return { cut: "before" };
            if (!isLastNote("rollback", frame)) return;
            isLost = true;
            return { cut: "after" };
          },
        });
        assertStringIncludes(said(error), "Cannot roll back 900_last.sql:");
        assertEquals(
          said(error).split("\n").at(-1),
          "Whether it is rolled back isn't known yet: run crdb status first; where 900 is no longer applied, " +
            "its rollback is done and counts, else run rollback; this migration counts as its first.",
        );
        assertEquals(await versions(trial), ["001"]);
      }),
  );
}
