/**
 * Migrations of a database: the story of a run, from the fast path over the lease and the plan to
 * the last note, and the questions that may be asked between runs.
 *
 * @module
 */

import type { Database } from "../database/database.ts";
import {
  alongside,
  carryOut,
  type CarryOutOptions,
  type PlanMaker,
  redoing,
} from "./carry_out.ts";
import {
  type Answer,
  answerIntent,
  checkAnswer,
  checkCorrectionOptions,
  takeBaseline,
} from "./corrections.ts";
import {
  compareVersions,
  type MigrationFile,
  type MigrationFiles,
  parseMigrations,
  readMigrations,
} from "./file.ts";
import {
  type AppliedMigration,
  type JournalState,
  journalTables,
  readJournal,
} from "./journal.ts";
import { breakLease } from "./lease.ts";
import {
  checkMigrateOptions,
  checkMigrationOptions,
  checkPlanOptions,
  checkRollbackOptions,
  checkRunOptions,
  checkVersion,
  folderForNew,
  type MigrateOptions,
  type MigrationOptions,
  type RollbackOptions,
  type RunOptions,
} from "./options.ts";
import { findProblems, type Plan, planMigrate, planRollback } from "./plan.ts";
import { fileProblem, type Problem } from "./problems.ts";
import { directory, type MigrationSource, writeMigration } from "./source.ts";
import { type MigrationStatus, statusOf } from "./status.ts";
import { findVersion, newestOf } from "./versions.ts";

/**
 * The migrations of a database.
 *
 * @example
 * ```ts
 * import { Database, Migration } from "@x/crdb";
 *
 * await using db = new Database();
 * const migration = new Migration(db, { migrationsDir: await Deno.makeTempDir() });
 * await migration.createMigration(
 *   "create notes",
 *   "CREATE TABLE notes (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), body TEXT)",
 *   "DROP TABLE notes",
 * );
 * await migration.migrate();
 * await migration.rollback();
 * ```
 */
export class Migration {
  readonly #db: Database;
  readonly #options: MigrationOptions;
  readonly #source: MigrationSource;
  readonly #table: string;

  /**
   * Makes the migrations' keeper; nothing is read yet.
   *
   * @throws {RangeError} A lease of less than 3,000 ms, or of more than a day.
   * @throws {ConfigError} A table whose name can't be read.
   */
  constructor(db: Database, options: MigrationOptions = {}) {
    checkMigrationOptions(options);
    const { migrationsDir = "./migrations", source, table = "_migrations" } =
      options;
    this.#db = db;
    this.#options = options;
    this.#source = source ?? directory(migrationsDir);
    this.#table = table;
  }

  /**
   * Writes a new migration and returns its path.
   *
   * @param undoSql Without it the migration can't be rolled back.
   * @throws {MigrationError} A description without letters or digits; SQL that has no forward
   * statement, that steers transactions, or that can't be read.
   * @throws {ConfigError} Where the migrations come from a `source`, and no folder is named beside it.
   */
  async createMigration(
    description: string,
    forwardSql: string,
    undoSql?: string,
  ): Promise<string> {
    const folder = folderForNew(this.#options);
    return await writeMigration(folder, { description, forwardSql, undoSql });
  }

  /**
   * Reads the migrations, sorted by version.
   *
   * @throws {MigrationError} A file that can't be read, two files of one version.
   */
  async loadMigrations(): Promise<MigrationFile[]> {
    return parseMigrations(await this.#source.load());
  }

  /**
   * Applies what is pending, and returns how many migrations that were.
   *
   * Of several that start at once, one applies and the others wait for it. A run that was
   * interrupted is gone on with.
   *
   * @throws {MigrationError} A problem, before anything is touched; or the statement that failed.
   * @throws {LockTimeoutError} Where another runner held the lease all the time.
   */
  async migrate(options: MigrateOptions = {}): Promise<number> {
    checkMigrateOptions(options);
    const { targetVersion } = options;
    const { allowOutOfOrder } = this.#options;
    const load = async (): Promise<PlanMaker> => {
      const files = await this.loadMigrations();
      const wish = { targetVersion, allowOutOfOrder };
      return (state) => planMigrate(files, state, wish);
    };
    return await this.#carryOut(load, { ...options, direction: "up" });
  }

  /**
   * Undoes migrations, newest first, and returns how many.
   *
   * @throws {MigrationError} A migration without an undo part, before anything is touched; or the
   * statement that failed.
   * @throws {LockTimeoutError} Where another runner held the lease all the time.
   */
  async rollback(options: RollbackOptions = {}): Promise<number> {
    checkRollbackOptions(options);
    const { count, targetVersion } = options;
    const load = async (): Promise<PlanMaker> => {
      const { files, unreadable } = await this.#readFiles();
      const wish = { count, targetVersion, unreadable };
      return (state) => planRollback(files, state, wish);
    };
    return await this.#carryOut(load, { ...options, direction: "down" });
  }

  /**
   * Undoes the newest migration and applies it again; returns 1, or 0 where none is applied.
   *
   * @throws {MigrationError} What {@linkcode Migration.rollback} and {@linkcode Migration.migrate}
   * throw; a migration that is half applied.
   */
  async redo(options: RunOptions = {}): Promise<number> {
    checkRunOptions(options);
    const files = await this.loadMigrations();
    const undo = (count: number) => this.rollback({ ...options, count });
    let state = await this.#readJournal();
    if (state.progress?.direction === "up") {
      // Whoever is applying that is waited for.
      await undo(0);
      state = await this.#readJournal();
    }
    const planFor = redoing(files, state);
    if (planFor === undefined) return await undo(0);
    await undo(1);
    const load = () => Promise.resolve(planFor);
    return await this.#carryOut(load, { ...options, direction: "up" });
  }

  /** Undoes all migrations and returns how many. */
  reset(options: RunOptions = {}): Promise<number> {
    return this.rollback({ ...options, count: Infinity });
  }

  /** The newest version that is applied, or `null`. */
  async getCurrentVersion(): Promise<string | null> {
    return newestOf((await this.#readJournal()).applied)?.version ?? null;
  }

  /** Says whether a version is applied. */
  async isApplied(version: string): Promise<boolean> {
    checkVersion(version, "version");
    return findVersion((await this.#readJournal()).applied, version) !==
      undefined;
  }

  /** The applied migrations, by version. */
  async getAppliedMigrations(): Promise<AppliedMigration[]> {
    return [...(await this.#readJournal()).applied].sort((a, b) =>
      compareVersions(a.version, b.version)
    );
  }

  /** What is applied, half applied, pending, missing and unreadable, by version. */
  async status(): Promise<MigrationStatus[]> {
    const [{ files, unreadable }, state] = await this.#read();
    return statusOf(files, state, unreadable);
  }

  /** What `migrate()` would do, statement by statement, or what forbids it. */
  async plan(options: { targetVersion?: string } = {}): Promise<Plan> {
    checkPlanOptions(options, ["targetVersion"]);
    const { allowOutOfOrder } = this.#options;
    const [{ files, unreadable }, state] = await this.#read();
    return planMigrate(files, state, {
      ...options,
      allowOutOfOrder,
      unreadable,
    });
  }

  /** What `rollback()` would do, statement by statement, or what forbids it. */
  async planRollback(
    options: { count?: number; targetVersion?: string } = {},
  ): Promise<Plan> {
    checkPlanOptions(options, ["count", "targetVersion"]);
    const [{ files, unreadable }, state] = await this.#read();
    return planRollback(files, state, { ...options, unreadable });
  }

  /**
   * What is wrong: edited, missing and unreadable files, versions out of order, half-applied
   * migrations.
   *
   * @throws {MigrationError} A folder that can't be read.
   */
  async verify(): Promise<Problem[]> {
    const { allowOutOfOrder } = this.#options;
    try {
      const [{ files, unreadable }, state] = await this.#read();
      return findProblems(files, state, { allowOutOfOrder, unreadable });
    } catch (error) {
      return [fileProblem(error)];
    }
  }

  /**
   * Notes the migrations up to a version as applied, without running them, for a database that has
   * their schema already; returns how many.
   *
   * @param options `signal` ends it before anything is noted.
   * @throws {MigrationError} A version that no file has, a migration that is half applied.
   */
  async baseline(
    version: string,
    options: Pick<RunOptions, "signal"> = {},
  ): Promise<number> {
    checkCorrectionOptions(options);
    const files = await this.loadMigrations();
    const all = { ...this.#options, ...options };
    return await takeBaseline(this.#db, { files, version }, all);
  }

  /**
   * Answers the question whether a statement took effect, where neither journal nor catalog can.
   *
   * @param options `signal` ends it before anything is noted.
   * @throws {MigrationError} Where there is no such question about that version.
   */
  async repair(
    answer: Answer,
    options: Pick<RunOptions, "signal"> = {},
  ): Promise<void> {
    checkAnswer(answer);
    checkCorrectionOptions(options);
    const files = await this.loadMigrations();
    const all = { ...this.#options, ...options };
    await answerIntent(this.#db, { files, ...answer }, all);
  }

  /** Ends the lease, whoever holds it; returns who that was, or `undefined` where nobody did. */
  unlock(): Promise<string | undefined> {
    return this.#db.withSession((session) =>
      breakLease(session, journalTables(this.#table))
    );
  }

  /** What can be read of the files, and the journal. */
  #read(): Promise<[MigrationFiles, JournalState]> {
    return alongside(
      () => this.#readFiles(),
      (signal) => this.#readJournal(signal),
    );
  }

  async #readFiles(): Promise<MigrationFiles> {
    return readMigrations(await this.#source.load());
  }

  #readJournal(signal?: AbortSignal): Promise<JournalState> {
    return this.#db.withSession(
      (session) => readJournal(session, journalTables(this.#table)),
      { signal },
    );
  }

  #carryOut(
    load: () => Promise<PlanMaker>,
    options: CarryOutOptions,
  ): Promise<number> {
    return carryOut(this.#db, load, { ...this.#options, ...options });
  }
}
