/**
 * The results of commands as JSON: one document for each call. Pure.
 *
 * @module
 */

import { readCursor } from "../migration/cursor.ts";
import type { Plan } from "../migration/plan.ts";
import type { Outcome } from "./command.ts";
import type { Failure } from "./failure.ts";

/** What a document is made of. */
export interface Ending {
  /** The command; `null` where none was recognised. */
  readonly name: string | null;
  /** The exit code. */
  readonly code: number;
  /** What the command has come to. */
  readonly outcome: Outcome;
  /** Its error, where it failed. */
  readonly failure?: Failure;
}

/** Makes the document: `{ "command", "ok", …, "error"? }`, a line. `ok` means exit code 0. */
export function jsonDocument(ending: Ending): string {
  const { name, code, outcome, failure } = ending;
  const document = {
    command: name,
    ok: code === 0,
    ...outcome.data,
    ...(failure && { error: failure.json }),
  };
  return `${JSON.stringify(document)}\n`;
}

/** A plan for programs: the files' texts are left out, those of the statements aren't. */
export function planData({ migrations, problems }: Plan): {
  migrations: unknown[];
  problems: Plan["problems"];
} {
  return {
    migrations: migrations.map((migration) => ({
      version: migration.version,
      description: migration.description,
      direction: migration.direction,
      file: migration.file.path,
      done: migration.done,
      ...(migration.progress?.intent && { unsettled: migration.done + 1 }),
      ...(migration.progress?.cursor && {
        upTo: readCursor(migration.progress.cursor).last,
      }),
      statements: migration.statements.map(
        ({ statement, number, kind, verb }) => ({
          number,
          kind,
          verb,
          line: statement.line,
          column: statement.column,
          text: statement.text,
          ...statement.directives,
        }),
      ),
    })),
    problems,
  };
}
