import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Strategy } from "../../src/migration/run.ts";
import { databaseTest, server } from "../support/database.ts";
import {
  chosen,
  chosenFiles,
  part,
  report,
  strategiesOf,
} from "../support/faults.ts";
import type { Action as Fault, ProxyFrame } from "../support/fault_proxy.ts";
import type { Recorded } from "../support/interruption.ts";
import {
  type Action,
  difference,
  kind,
  said,
  type Trial,
  withTrial,
} from "../support/trial.ts";

/** Schema changes, rows, settings and a backfill. */
const FILES = chosenFiles(["031", "033", "034", "035"], 2);
const STRIDE = kind === "cockroachdb" ? 24 : 6;
const DIRECTIONS = ["migrate", "rollback"] as const;

interface Statement {
  readonly connection: number;
  /** Its number among the statements of its connection, from 1. */
  readonly nth: number;
  readonly text: string;
}

/** The statements of a recording, but for those of the heartbeat. */
function statementsOf(frames: readonly Recorded[]): Statement[] {
  const counts = new Map<number, number>();
  const statements: Statement[] = [];
  for (const { connection, text, direction } of frames) {
    if (direction === "server" || text === undefined) continue;
    const nth = (counts.get(connection) ?? 0) + 1;
    counts.set(connection, nth);
    statements.push({ connection, nth, text });
  }
  const heartbeats = statements
    .filter(({ text }) => text.includes("SET expires_at = now()"))
    .map(({ connection }) => connection);
  return statements.filter(({ connection }) =>
    !heartbeats.includes(connection)
  );
}

/** A rule that puts a fault into one statement. */
function at(statement: Statement, fault: Fault) {
  const counts = new Map<number, number>();
  return ({ connection, direction, text }: ProxyFrame): Fault | undefined => {
    if (direction === "server" || text === undefined) return;
    const nth = (counts.get(connection) ?? 0) + 1;
    counts.set(connection, nth);
    return connection === statement.connection && nth === statement.nth
      ? fault
      : undefined;
  };
}

/** Runs to the end in both directions, and keeps what came by and what it led to. */
async function record(trial: Trial) {
  const run = async (action: Action) => {
    const { error, frames } = await trial.behind(action);
    if (error !== undefined) throw error;
    const expected = await trial.snapshot();
    return { statements: statementsOf(frames), expected };
  };
  const migrate = await run("migrate");
  return { migrate, rollback: await run("rollback") };
}

/** Puts a fault into one statement after another; a second run has to end what the first one began. */
async function survives(
  strategy: Strategy,
  faults: readonly Fault[],
  how: string,
): Promise<void> {
  let survived = 0;
  for (const [salt, file] of FILES.entries()) {
    await withTrial({ strategy, files: [file] }, async (trial) => {
      const recorded = await record(trial);
      const queues = {
        migrate: pairs(recorded.migrate.statements, faults, salt),
        rollback: pairs(recorded.rollback.statements, faults, salt + 1),
      };
      while (queues.migrate.length > 0 || queues.rollback.length > 0) {
        for (const action of DIRECTIONS) {
          const { expected } = recorded[action];
          const next = queues[action].shift();
          if (next === undefined) {
            await trial.run(action);
            continue;
          }
          const { statement, fault } = next;
          const label = `${action}, ${
            JSON.stringify(fault)
          } at ${statement.text}`;
          const { error } = await trial.behind(action, {
            onFrame: at(statement, fault),
          });
          await trial.endLease();
          const { applied, progress } = await trial.journal();
          const isOver = progress === undefined &&
            applied.length === (action === "migrate" ? 2 : 1);
          if (!isOver) {
            await trial.run(action).catch((again) => {
              throw new Error(`${label}\n${said(error)}\n${said(again)}`);
            });
          }
          const found = await trial.snapshot();
          assert(
            found === expected,
            `${label}\n${said(error)}\n${difference(expected, found)}`,
          );
          survived++;
        }
      }
    });
  }
  report(survived, `${how}, ${strategy}`);
  assert(survived > 0);
}

function pairs(
  statements: readonly Statement[],
  faults: readonly Fault[],
  salt: number,
): { statement: Statement; fault: Fault }[] {
  const all = statements.flatMap((statement) =>
    faults.map((fault) => ({ statement, fault }))
  );
  return chosen(all, STRIDE, salt);
}

for (const strategy of strategiesOf(server.kind)) {
  databaseTest(
    `migrate() and rollback() go through in one run with 40001 at every statement and commit (${strategy})`,
    async () => {
      let count = 0;
      for (const file of FILES) {
        await withTrial({ strategy, files: [file] }, async (trial) => {
          const recorded = await record(trial);
          for (const action of DIRECTIONS) {
            const seen = new Set<string>();
            const { error } = await trial.behind(action, {
              onFrame: ({ direction, text }) => {
                if (direction === "server" || text === undefined) return;
                // The note that closes a migration says how long it took.
                const known = text.replaceAll(/, \d+,/g, "");
                const isOwn = /^ROLLBACK|SET expires_at = now/.test(text);
                if (isOwn || seen.has(known)) return;
                seen.add(known);
                return {
                  error: {
                    code: "40001",
                    message: "restart transaction: TransactionRetryError",
                  },
                };
              },
            });
            assertEquals(error, undefined, said(error));
            assertEquals(await trial.snapshot(), recorded[action].expected);
            count += seen.size;
          }
        });
      }
      report(count, `40001, ${strategy}`);
    },
  );

  const ambiguous = {
    code: "40003",
    message: "result is ambiguous (error=rpc error)",
  };
  databaseTest(
    `migrate() and rollback() survive 40003 at their statements, run or not (${strategy}; ${
      part(STRIDE)
    })`,
    () =>
      survives(strategy, [
        { error: ambiguous },
        ...strategy === "statements" ? [{ errorAfter: ambiguous }] : [],
      ], "40003"),
  );

  databaseTest(
    `migrate() and rollback() survive 57P01 at their statements (${strategy}; ${
      part(STRIDE)
    })`,
    () =>
      survives(strategy, [{
        error: {
          severity: "FATAL",
          code: "57P01",
          message: "server is shutting down",
        },
      }], "57P01"),
  );
}

const COLUMN = {
  name: "900_add_a_column.sql",
  text:
    "UPDATE counters SET n = n + 1;\nALTER TABLE accounts ADD COLUMN extra INT8;\n-- @UNDO\n" +
    "ALTER TABLE accounts DROP COLUMN extra;\nUPDATE counters SET n = n - 1;",
};

databaseTest(
  "migrate() takes XXA00 for the failure of a schema change",
  () =>
    withTrial({ strategy: "statements", more: [COLUMN] }, async (trial) => {
      const { error } = await trial.behind("migrate", {
        onFrame: ({ text }) =>
          text?.startsWith("ALTER TABLE accounts")
            ? {
              error: {
                code: "XXA00",
                message:
                  "transaction committed but schema change aborted with error: (23505): duplicate key",
              },
            }
            : undefined,
      });
      assertStringIncludes(said(error), "900_add_a_column.sql:2:1");
      assertStringIncludes(said(error), "(SQLSTATE XXA00)");
      assertStringIncludes(said(error), "Statement 1 is done and noted");
      const { applied, progress } = await trial.journal();
      assertEquals(applied.map(({ version }) => version), ["001"]);
      assertEquals(progress?.done.length, 1);
      assertEquals(progress?.intent, null);
      assertEquals(await trial.run("migrate"), 1);
      const [{ n }] = await trial.db.query("SELECT n FROM counters");
      assertEquals(n, 1);
    }),
);

for (const runs of [false, true]) {
  databaseTest(
    `migrate() asks the catalog after 57014 at a schema change that ${
      runs ? "took" : "didn't take"
    } effect all the same`,
    () =>
      withTrial({ strategy: "statements", more: [COLUMN] }, async (trial) => {
        const fields = {
          code: "57014",
          message: "query execution canceled due to statement timeout",
        };
        const notices = [{
          code: "00000",
          message: "job 123456 continues in the background",
        }];
        const outcomes: string[] = [];
        const { error } = await trial.behind("migrate", {
          onEvent: (event) => {
            if (event.type === "statement-reconciled") {
              outcomes.push(event.outcome);
            }
          },
          onFrame: ({ text }) =>
            !text?.startsWith("ALTER TABLE accounts")
              ? undefined
              : runs
              ? { errorAfter: fields, notices }
              : { error: fields, notices },
        });
        assertEquals(outcomes, [runs ? "done" : "not-done"]);
        const { applied } = await trial.journal();
        assertEquals(applied.length, runs ? 2 : 1);
        if (runs) assertEquals(error, undefined, said(error));
        else {
          assertStringIncludes(said(error), "(SQLSTATE 57014)");
          assertStringIncludes(said(error), "NOTICE: job 123456 continues");
          assertEquals(await trial.run("migrate"), 1);
        }
        const [{ n }] = await trial.db.query("SELECT n FROM counters");
        assertEquals(n, 1);
      }),
  );
}
