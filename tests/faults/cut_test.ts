import { assert } from "@std/assert";
import {
  DatabaseError,
  LockTimeoutError,
  MigrationError,
} from "../../src/errors.ts";
import type { Strategy } from "../../src/migration/run.ts";
import { corpusOf } from "../support/corpus.ts";
import { databaseTest, server } from "../support/database.ts";
import {
  chosen,
  chosenFiles,
  inLanes,
  part,
  report,
  strategiesOf,
} from "../support/faults.ts";
import {
  type Point,
  pointsOf,
  type Recorded,
} from "../support/interruption.ts";
import {
  type Action,
  difference,
  kind,
  said,
  Trial,
} from "../support/trial.ts";

const LANES = kind === "cockroachdb" ? 4 : 8;
/** With these the run of all tests keeps to its time. */
const STRIDE = kind === "cockroachdb" ? 29 : 37;
/** CockroachDB takes a second for what PostgreSQL does in a hundredth: a part of the corpus, too. */
const FILE_STRIDE = kind === "cockroachdb" ? 8 : 1;

/** The frames behind those of the beginning, which are every run's: what is read of the journal ends it. */
function ownFrames(frames: readonly Recorded[]): readonly Recorded[] {
  const start = frames.findIndex(({ connection, text }) =>
    connection > 1 && text?.includes("SELECT 'applied'")
  );
  assert(start >= 0, "the run has read its journal");
  const own = frames.slice(start);
  const { connection } = own[0];
  return own.filter((frame) =>
    frame.connection === connection || frame.connection > 3
  );
}

interface FileOptions {
  strategy: Strategy;
  /** Whether the file is the base itself, applied to a database that never saw a migration. */
  isBase: boolean;
  /** Whether the points are those of all sessions from the first frame on. */
  isWhole: boolean;
  /** Which of a file's shares of the points is tried: lanes divide long files among them. */
  share: number;
  /** How many shares there are. */
  shares: number;
  /** Chooses other points than other files'. */
  salt: number;
}

/** Tries points of a migration, and gives what went wrong. */
async function tryFile(
  name: string,
  options: FileOptions,
): Promise<{ survived: number; failures: string[] }> {
  const { strategy, isBase, isWhole } = options;
  const failures: string[] = [];
  let survived = 0;
  let queues: Record<Action, Point[]> | undefined;
  do {
    // A database that a fault has spoilt is kept for a look at it, and left for a fresh one.
    const trial = await Trial.start({
      strategy,
      files: [name],
      hasBase: !isBase,
    });
    try {
      const { frames, expected } = await record(trial);
      queues ??= {
        migrate: selected(frames.migrate, options),
        rollback: selected(frames.rollback, {
          ...options,
          salt: options.salt + 1,
        }),
      };
      while (queues.migrate.length > 0 || queues.rollback.length > 0) {
        if (isBase) await trial.forget();
        for (const action of ["migrate", "rollback"] as const) {
          const point = queues[action].shift();
          if (point === undefined) {
            await trial.run(action);
            continue;
          }
          await tryPoint(trial, {
            ...{ action, point, expected: expected[action] },
            waits: isWhole,
          });
          survived++;
        }
      }
      await trial.drop();
    } catch (error) {
      await trial.close();
      if (queues === undefined) throw error;
      const failure = `${name}, ${said(error)}\n  in ${trial.database}`;
      // A full run goes on for long, and may be stopped before it tells its end.
      console.error(failure);
      failures.push(failure);
    }
  } while (queues.migrate.length > 0 || queues.rollback.length > 0);
  return { survived, failures };
}

/** Runs to the end in both directions, and keeps what came by and what it led to. */
async function record(trial: Trial) {
  const run = async (action: Action) => {
    const { error, frames } = await trial.behind(action);
    if (error !== undefined) throw error;
    return { frames, expected: await trial.snapshot() };
  };
  const migrate = await run("migrate");
  const rollback = await run("rollback");
  return {
    frames: { migrate: migrate.frames, rollback: rollback.frames },
    expected: { migrate: migrate.expected, rollback: rollback.expected },
  };
}

function selected(
  frames: readonly Recorded[],
  { isWhole, share, shares, salt }: FileOptions,
): Point[] {
  const points = pointsOf(isWhole ? frames : ownFrames(frames));
  return chosen(points, STRIDE, salt)
    .filter((_, index) => index % shares === share);
}

/** Cuts a run off, and runs again: the end has to be that of a run without a fault. */
async function tryPoint(
  trial: Trial,
  options: { action: Action; point: Point; expected: string; waits: boolean },
): Promise<void> {
  const { action, point, expected, waits } = options;
  const fail = (what: string): never => {
    throw new Error(`${action}: ${point.label}\n  ${what}`);
  };
  const { error, isReached } = await trial.behind(action, { point })
    .catch((error) => fail(said(error)));
  if (!isReached) fail("the point wasn't reached");
  if (error !== undefined && !isExplained(error)) fail(said(error));
  if (!waits) await trial.endLease();
  // A rollback counts: it is run blindly again where its message says no more than that.
  const isDone = said(error).includes("run crdb status first")
    ? await isUndone(trial, expected)
    : error === undefined;
  if (!isDone) {
    await trial.run(action).catch((again) =>
      fail(`first: ${said(error)}\n  then: ${said(again)}`)
    );
  }
  const found = await trial.snapshot();
  if (found !== expected) {
    fail(`first: ${said(error)}\n${difference(expected, found)}`);
  }
}

async function isUndone(trial: Trial, expected: string): Promise<boolean> {
  const { progress, applied } = await trial.journal();
  return progress === undefined &&
    applied.every(({ version }) => expected.includes(`applied ${version} `));
}

function isExplained(error: unknown): boolean {
  return error instanceof MigrationError || error instanceof DatabaseError ||
    error instanceof LockTimeoutError;
}

for (const strategy of strategiesOf(server.kind)) {
  databaseTest(
    `migrate() and rollback() of the corpus survive a cut at their protocol steps (${strategy}; ${
      part(STRIDE)
    })`,
    async () => {
      const corpus = await corpusOf(kind);
      const base = corpus[0].name;
      const tries = chosenFiles(corpus, FILE_STRIDE).flatMap(
        ({ name }, index) => {
          const isWhole = name === base || name.startsWith("002");
          const shares = isWhole ? LANES : 1;
          return Array.from({ length: shares }, (_, share) => ({
            ...{ name, strategy, isBase: name === base, isWhole },
            ...{ share, shares, salt: index * 2 },
          }));
        },
      );
      const results = await inLanes(
        tries,
        LANES,
        ({ name, ...options }) => tryFile(name, options),
      );
      const failures = results.flatMap(({ failures }) => failures);
      const survived = results.reduce((sum, { survived }) => sum + survived, 0);
      report(survived, `cuts, ${strategy}`);
      assert(
        failures.length === 0,
        `${failures.length} points did harm:\n${
          failures.slice(0, 20).join("\n")
        }`,
      );
      assert(survived > 10, `only ${survived} points were tried`);
    },
  );
}
