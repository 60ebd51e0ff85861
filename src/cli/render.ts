/**
 * The results of commands as texts for people: tables and plans. Pure.
 *
 * @module
 */

import { readCursor } from "../migration/cursor.ts";
import type { Plan } from "../migration/plan.ts";
import type { PlannedMigration } from "../migration/planned.ts";
import type { MigrationStatus } from "../migration/status.ts";
import { counted, duration, instant, titled } from "./progress.ts";
import {
  displayWidth,
  oneLine,
  padEnd,
  printable,
  type Style,
  styleFor,
} from "./style.ts";

const HEADER = ["VERSION", "STATE", "APPLIED AT", "DESCRIPTION"];

/** Shows the state of the migrations as a table, with the number of those that are pending. */
export function renderStatus(
  migrations: readonly MigrationStatus[],
  style: Style = styleFor(false),
): string {
  if (migrations.length === 0) return "There are no migrations";
  const rows = migrations.map((one) => [
    one.version,
    stateOf(one),
    one.applied_at === null ? "-" : instant(one.applied_at),
    oneLine(one.description),
  ]);
  const widths = HEADER.map((_, column) =>
    Math.max(...[HEADER, ...rows].map((row) => displayWidth(row[column])))
  );
  const line = (row: readonly string[]) =>
    row.map((cell, column) => padEnd(cell, widths[column])).join("  ")
      .trimEnd();
  const notes = migrations.flatMap(notesOf).map(style.bad);
  return [
    style.dim(line(HEADER)),
    ...rows.map((row, index) => colorOf(migrations[index], style)(line(row))),
    ...notes,
    summaryOf(migrations),
  ].join("\n");
}

/** Counts the migrations that a run would apply or finish. */
export function countPending(migrations: readonly MigrationStatus[]): number {
  return migrations.filter(({ state, applied }) =>
    PENDING.has(state) || state === "unreadable" && !applied
  ).length;
}

const PENDING = new Set(["pending", "half-applied", "half-undone"]);

function notesOf(
  { version, state, path, done = 0, unsettled, upTo, error }: MigrationStatus,
): string[] {
  const notes = error === undefined
    ? []
    : [state === "unreadable" ? oneLine(error, 400) : oneLine(error, 200)];
  if (unsettled !== undefined) {
    const command = state === "half-undone" ? "rollback" : "migrate";
    notes.push(
      `whether statement ${unsettled} took effect isn't known; run ${command}, it finds out`,
    );
  }
  if (upTo !== undefined) {
    notes.push(`statement ${done + 1} goes on behind key ${oneLine(upTo)}`);
  }
  return notes.map((note) => `${version || path}: ${note}`);
}

function stateOf({ state, done }: MigrationStatus): string {
  return done === undefined ? state : `${state}, ${done} done`;
}

function colorOf({ state }: MigrationStatus, style: Style) {
  if (state === "applied") return (text: string) => text;
  return state === "pending" ? style.warn : style.bad;
}

function summaryOf(migrations: readonly MigrationStatus[]): string {
  const applied = migrations.filter(({ applied }) => applied).length;
  return `${applied} applied, ${countPending(migrations)} pending`;
}

/** Shows what a run would do, statement by statement, or what forbids it. */
export function renderPlan(
  { migrations, problems }: Plan,
  style: Style = styleFor(false),
): string {
  if (problems.length > 0) return renderProblems(problems, style);
  if (migrations.length === 0) return "Nothing to do";
  return migrations.map(renderMigration).join("\n\n");
}

/** Shows problems, a line for each. */
export function renderProblems(
  problems: Plan["problems"],
  style: Style = styleFor(false),
): string {
  return problems.map(({ message }) => style.bad(printable(message)))
    .join("\n");
}

function renderMigration(migration: PlannedMigration): string {
  const { direction, file, done, statements, progress } = migration;
  const verb = direction === "up" ? "Apply" : "Roll back";
  const rest = done === 0 ? "" : `, ${counted(done, "statement")} done already`;
  const total = done + statements.length;
  const parts = statements.map(({ statement, number, kind }) => {
    const { text, line, directives: { timeoutMs, backfill } } = statement;
    const extras = [
      ...(timeoutMs === undefined ? [] : [`limit ${duration(timeoutMs)}`]),
      ...(backfill === undefined ? [] : [
        `${backfill.table} by ${backfill.key}, ${backfill.batch} at a time`,
      ]),
    ];
    return [
      `  ${number} of ${total}  ${
        [kind, `${file.path}:${line}`, ...extras].join("  ")
      }`,
      ...printable(text).split("\n").map((one) => `    ${one}`.trimEnd()),
    ].join("\n");
  });
  const unsettled = progress?.intent
    ? [
      `  whether statement ${
        done + 1
      } took effect isn't known; the run finds out first`,
    ]
    : [];
  const begun = progress?.cursor
    ? [
      `  statement ${done + 1} goes on behind key ${
        oneLine(readCursor(progress.cursor).last)
      }`,
    ]
    : [];
  return [
    `${verb} ${titled(migration)}${rest}`,
    ...unsettled,
    ...begun,
    ...parts,
  ]
    .join("\n");
}
