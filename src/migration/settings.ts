/**
 * What a migration sets in its session: it is set again where another session goes on, and doesn't
 * outlive the migration.
 *
 * @module
 */

import { type Flight, retriedStatement, send } from "./flight.ts";
import { insist } from "./insist.ts";
import { statementsOf } from "./planned.ts";
import type { Run } from "./run.ts";
import { sessionName } from "./server.ts";
import { classify } from "./statement.ts";

/** Sets again what the statements that are done have set: a session's settings end with it. */
export async function replaySettings(flight: Flight): Promise<void> {
  const { file, direction } = flight.migration;
  const statements = statementsOf(file, direction);
  for (const statement of statements.slice(0, flight.done.length)) {
    const info = classify(statement.text);
    if (info.kind === "session") {
      const planned = { ...info, statement, number: 0 };
      await retriedStatement(flight, planned, () => send(flight, planned));
    }
  }
}

/** Ends what a migration has set, so that the next one runs as it would in a later run. */
export async function forgetSettings(
  { run, migration }: Flight,
): Promise<void> {
  const { file, direction, done, statements } = migration;
  const hasSet = statements.some(({ kind }) => kind === "session") ||
    statementsOf(file, direction).slice(0, done)
      .some(({ text }) => classify(text).kind === "session");
  if (hasSet) await renewSession(run);
}

/** Goes on with another session, and says so in the lease: whoever takes that over ends it. */
export async function renewSession(run: Run): Promise<void> {
  const { kind, tables, lease } = run;
  await run.session.close();
  run.session = await run.open();
  run.role = undefined;
  const { rows } = await insist(() =>
    run.session.query(
      `UPDATE ${tables.lease} SET main_session = ${sessionName(kind)} ` +
        "WHERE id = 1 AND fence = $1 RETURNING main_session",
      [lease.fence],
    )
  );
  run.mainSession = rows[0]?.[0] ?? run.mainSession;
}
