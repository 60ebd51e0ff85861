import { assert } from "@std/assert";
import { Database } from "../../src/database/database.ts";
import {
  DatabaseError,
  LockTimeoutError,
  MigrationError,
} from "../../src/errors.ts";
import type { MigrationEntry } from "../../src/migration/file.ts";
import { Migration } from "../../src/migration/migrator.ts";
import type { Strategy } from "../../src/migration/run.ts";
import { bundle } from "../../src/migration/source.ts";
import { databaseTest, server } from "../support/database.ts";
import { corpusOf, READER } from "../support/corpus.ts";
import {
  chosen,
  inLanes,
  part,
  report,
  strategiesOf,
  urlOf,
} from "../support/faults.ts";
import {
  interrupted,
  type Point,
  pointsOf,
  type Recorded,
} from "../support/interruption.ts";
import { snapshot } from "../support/snapshot.ts";

const kind = server.kind === "cockroachdb" ? "cockroachdb" : "postgresql";
/** A run is far from needing as long; one that does hangs. */
const LIMIT_MS = 30_000;
const LANES = kind === "cockroachdb" ? 3 : 2;
/** With these the run of all tests keeps to its time. */
const STRIDE = kind === "cockroachdb" ? 61 : 47;

type Action = "migrate" | "rollback";

/** One migration on a database of its own, which its rollback leaves as it was. */
class Trial {
  readonly #url: string;
  readonly #db: Database;
  readonly #options: {
    source: ReturnType<typeof bundle>;
    strategy: Strategy;
    leaseMs: number;
    lockTimeoutMs: number;
  };

  constructor(url: string, files: MigrationEntry[], strategy: Strategy) {
    this.#url = url;
    this.#db = new Database({ url });
    this.#options = {
      source: bundle(files),
      strategy,
      leaseMs: 600_000,
      lockTimeoutMs: 20_000,
    };
  }

  /** Runs to the end, without a fault. */
  run(action: Action): Promise<number> {
    return new Migration(this.#db, this.#options)[action]();
  }

  /** Runs behind the proxy, and cuts the run off at a point. */
  async cut(action: Action, point?: Point) {
    return await withinLimit(interrupted(
      (db) => new Migration(db, this.#options)[action](),
      { url: this.#url, point },
    ));
  }

  /** What the database holds. */
  snapshot(): Promise<string> {
    return snapshot(this.#db, { kind });
  }

  /** Makes the database one that never saw a migration. */
  async forget(): Promise<void> {
    for (const suffix of ["", "_journal", "_lease"]) {
      await this.#db.dropTable(`_migrations${suffix}`, { ifExists: true });
    }
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}

async function withinLimit<T>(promise: Promise<T>): Promise<T> {
  const { promise: limit, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("it hangs")), LIMIT_MS);
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** The frames of the session that runs the statements, from the first step on that isn't every run's. */
function ownFrames(frames: readonly Recorded[]): Recorded[] {
  const isOwn = new Set<number>();
  return frames.filter(({ connection, text }) => {
    if (text?.includes("main_session = ") && connection > 1) {
      if (text.startsWith("UPDATE") && !text.includes("1970")) {
        isOwn.add(connection);
        return false;
      }
    }
    return isOwn.has(connection) || connection > 3;
  });
}

/** Tries points of a migration, and gives what went wrong. */
async function tryPoints(
  files: MigrationEntry[],
  options: {
    strategy: Strategy;
    isFirst: boolean;
    isWhole: boolean;
    salt: number;
  },
): Promise<{ survived: number; failures: string[] }> {
  const { strategy, isFirst, isWhole, salt } = options;
  const name = files[files.length - 1].name;
  const failures: string[] = [];
  let survived = 0;
  let queues: Record<Action, Point[]> | undefined;
  do {
    // A database that a failure has spoilt is kept for a look at it, and left for a fresh one.
    const database = `crdb_faults_${crypto.randomUUID().slice(0, 8)}`;
    await using admin = new Database({ url: server.url });
    await admin.createDatabase(database);
    const trial = new Trial(urlOf(database), files, strategy);
    const expected: Partial<Record<Action, string>> = {};
    try {
      if (!isFirst) {
        const base = new Trial(urlOf(database), [files[0]], strategy);
        await base.run("migrate");
        await base.close();
      }
      const frames: Partial<Record<Action, readonly Recorded[]>> = {};
      for (const action of ["migrate", "rollback"] as const) {
        const outcome = await trial.cut(action);
        if (outcome.error) throw outcome.error;
        frames[action] = outcome.frames;
        expected[action] = await trial.snapshot();
      }
      queues ??= {
        migrate: selected(frames.migrate!, isWhole, salt),
        rollback: selected(frames.rollback!, isWhole, salt + 1),
      };
      while (queues.migrate.length > 0 || queues.rollback.length > 0) {
        if (isFirst) await trial.forget();
        for (const action of ["migrate", "rollback"] as const) {
          const point = queues[action].shift();
          const problem = await tryPoint(trial, {
            action,
            point,
            expected: expected[action]!,
          });
          if (problem !== undefined) {
            throw new Error(`${name}, ${action}: ${problem} (${database})`);
          }
          if (point !== undefined) survived++;
        }
      }
      await trial.close();
      await admin.dropDatabase(database, { cascade: true });
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
      if (queues === undefined) throw error;
      await trial.close();
    }
  } while (queues.migrate.length > 0 || queues.rollback.length > 0);
  return { survived, failures };
}

function selected(
  frames: readonly Recorded[],
  isWhole: boolean,
  salt: number,
): Point[] {
  return chosen(pointsOf(isWhole ? frames : ownFrames(frames)), STRIDE, salt);
}

/** Cuts a run off, runs again, and says how the end differs from that of a run without a fault. */
async function tryPoint(
  trial: Trial,
  options: { action: Action; point?: Point; expected: string },
): Promise<string | undefined> {
  const { action, point, expected } = options;
  if (point === undefined) {
    await trial.run(action);
    return;
  }
  const { label } = point;
  const t0 = performance.now();
  const { error, isReached } = await trial.cut(action, point)
    .catch((error) => ({ error, isReached: true }));
  const t1 = performance.now();
  if (!isReached) return `${label}: the point wasn't reached`;
  if (error !== undefined && !isExplained(error)) {
    return `${label}: ${error?.stack ?? error}`;
  }
  try {
    // What was finished all the same must not be done once more: a rollback counts.
    if (error !== undefined && !await isFinished(trial, action, expected)) {
      await trial.run(action);
    }
  } catch (again) {
    return `${label}\n  the first run: ${said(error)}\n  the second run: ${
      said(again)
    }`;
  }
  const t2 = performance.now();
  const found = await trial.snapshot();
  if (Deno.env.get("TIMES")) console.log(Math.round(t1-t0), Math.round(t2-t1), Math.round(performance.now()-t2), label, said(error).slice(0,60));
  if (found === expected) return;
  return `${label}\n  the first run: ${said(error)}\n${
    difference(expected, found)
  }`;
}

async function isFinished(
  trial: Trial,
  action: Action,
  expected: string,
): Promise<boolean> {
  if (action === "migrate") return false;
  const applied = (text: string) =>
    text.split("\n").filter((line) => line.startsWith("applied ")).join();
  return applied(await trial.snapshot()) === applied(expected);
}

function isExplained(error: unknown): boolean {
  return error instanceof MigrationError || error instanceof DatabaseError ||
    error instanceof LockTimeoutError;
}

function said(error: unknown): string {
  return error === undefined
    ? "went through"
    : error instanceof Error
    ? error.message
    : String(error);
}

function difference(expected: string, found: string): string {
  const lines = { a: expected.split("\n"), b: found.split("\n") };
  return [
    ...lines.a.filter((line) => !lines.b.includes(line)).map((line) =>
      `  - ${line}`
    ),
    ...lines.b.filter((line) => !lines.a.includes(line)).map((line) =>
      `  + ${line}`
    ),
  ].join("\n");
}

for (const strategy of strategiesOf(server.kind)) {
  databaseTest(
    `migrate() and rollback() of the corpus survive a cut at their protocol steps (${strategy}; ${
      part(STRIDE)
    })`,
    async (admin) => {
      await admin.execute(`CREATE ROLE ${READER}`).catch(() => {});
      const files = (await corpusOf(kind))
        .filter(({ name }) =>
          name.includes(Deno.env.get("CRDB_FAULTS_FILE") ?? "")
        );
      const base = (await corpusOf(kind))[0];
      const results = await inLanes(files, LANES, (file, index) => {
        const isFirst = file.name === base.name;
        return tryPoints(isFirst ? [file] : [base, file], {
          strategy,
          isFirst,
          isWhole: isFirst || file.name.startsWith("002"),
          salt: index * 2,
        });
      });
      const survived = results.reduce((sum, { survived }) => sum + survived, 0);
      const failures = results.flatMap(({ failures }) => failures);
      report(survived, strategy);
      assert(
        failures.length === 0,
        `${failures.length} points did harm:\n${
          failures.slice(0, 20).join("\n")
        }`,
      );
      assert(survived > 30, `only ${survived} points were tried`);
    },
  );
}
