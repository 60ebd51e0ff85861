/**
 * A trial: some migrations of the corpus on a database of their own, run with faults and without,
 * and what the database holds afterwards.
 *
 * @module
 */

import { Database } from "../../src/database/database.ts";
import type { MigrationEvent } from "../../src/migration/events.ts";
import {
  type JournalState,
  journalTables,
  readJournal,
} from "../../src/migration/journal.ts";
import { Migration } from "../../src/migration/migrator.ts";
import type { RunOptions } from "../../src/migration/options.ts";
import type { Strategy } from "../../src/migration/run.ts";
import { bundle } from "../../src/migration/source.ts";
import { corpusOf, READER } from "./corpus.ts";
import { server } from "./database.ts";
import { interrupted, type Outcome, type Passage } from "./interruption.ts";
import { snapshot } from "./snapshot.ts";

/** What a trial does. */
export type Action = "migrate" | "rollback";

/** What is tried. */
export interface TrialOptions {
  /** How the statements of a migration are kept together. */
  readonly strategy: Strategy;
  /** The migrations, by the beginnings of their names; the base comes first by itself. */
  readonly files?: readonly string[];
  /** Further migrations; `this_db` in them stands for the database. */
  readonly more?: readonly { name: string; text: string }[];
  /** Whether the base is applied at the beginning. Default: `true`. */
  readonly hasBase?: boolean;
}

/** The kind of the server that the suite runs on. */
export const kind = server.kind === "cockroachdb"
  ? "cockroachdb"
  : "postgresql";

/** A run is far from needing as long; one that does hangs. */
const LIMIT_MS = 60_000;

/** Some migrations, on a database of their own. */
export class Trial {
  /** The database's name. */
  readonly database: string;
  /** The database's address. */
  readonly url: string;
  /** A client of the database that no fault hits. */
  readonly db: Database;
  /** The migrations. */
  readonly files: readonly { name: string; text: string }[];
  readonly #strategy: Strategy;

  private constructor(
    database: string,
    files: readonly { name: string; text: string }[],
    strategy: Strategy,
  ) {
    const url = new URL(server.url);
    url.pathname = `/${database}`;
    this.database = database;
    this.url = url.href;
    this.db = new Database({ url: url.href });
    this.files = files;
    this.#strategy = strategy;
  }

  /** Makes the database. */
  static async start(options: TrialOptions): Promise<Trial> {
    const { strategy, files = [], more = [], hasBase = true } = options;
    const corpus = await corpusOf(kind);
    const chosen = corpus.filter(({ name }, index) =>
      index === 0 || files.some((beginning) => name.startsWith(beginning))
    );
    const database = `crdb_faults_${crypto.randomUUID().slice(0, 8)}`;
    await using admin = new Database({ url: server.url });
    await admin.createDatabase(database);
    // The role may be there from another trial: roles belong to the whole server.
    await admin.execute(`CREATE ROLE ${READER}`).catch(() => {});
    const own = more.map(({ name, text }) => ({
      name,
      text: text.replaceAll("this_db", database),
    }));
    const trial = new Trial(database, [...chosen, ...own], strategy);
    if (hasBase) {
      await trial.migration(trial.db, { files: [corpus[0]] }).migrate();
    }
    return trial;
  }

  /** The migrations, for a client of the database. */
  migration(
    db: Database,
    options: {
      files?: readonly { name: string; text: string }[];
      onEvent?: (event: MigrationEvent) => void;
      leaseMs?: number;
      lockTimeoutMs?: number;
    } = {},
  ): Migration {
    const { files = this.files, ...rest } = options;
    return new Migration(db, {
      source: bundle(files),
      strategy: this.#strategy,
      leaseMs: 600_000,
      lockTimeoutMs: 20_000,
      ...rest,
    });
  }

  /** Runs to the end, without a fault. */
  run(action: Action): Promise<number> {
    return this.migration(this.db)[action]();
  }

  /** Runs behind the proxy, which puts faults into the run. */
  async behind(
    action: Action,
    passage: Passage & { onEvent?: (event: MigrationEvent) => void } = {},
    options: RunOptions = {},
  ): Promise<Outcome> {
    const { onEvent, ...rest } = passage;
    const { promise: limit, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error("it hangs")), LIMIT_MS);
    try {
      const run = interrupted(
        (db) => this.migration(db, { onEvent })[action](options),
        this.url,
        rest,
      );
      return await Promise.race([run, limit]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What the database holds. */
  snapshot(): Promise<string> {
    return snapshot(this.db, { kind });
  }

  /** What the journal says. */
  journal(): Promise<JournalState> {
    return this.db.withSession((session) =>
      readJournal(session, journalTables("_migrations"))
    );
  }

  /** Lets the lease of a client that was lost run out; the next one needn't find out that it is gone. */
  async endLease(): Promise<void> {
    await this.db.execute(
      "UPDATE _migrations_lease SET expires_at = '1970-01-01'",
    ).catch(() => {});
  }

  /** Makes the database one that never saw a migration. */
  async forget(): Promise<void> {
    for (const suffix of ["", "_journal", "_lease"]) {
      await this.db.dropTable(`_migrations${suffix}`, { ifExists: true });
    }
  }

  /** Ends the trial; the database stays for a look at it. */
  close(): Promise<void> {
    return this.db.close();
  }

  /** Ends the trial and drops the database. */
  async drop(): Promise<void> {
    await this.db.close();
    await using admin = new Database({ url: server.url });
    await admin.dropDatabase(this.database, { cascade: true });
  }
}

/** Runs `fn` with a trial, and drops its database when it has succeeded. */
export async function withTrial(
  options: TrialOptions,
  fn: (trial: Trial) => Promise<void>,
): Promise<void> {
  const trial = await Trial.start(options);
  try {
    await fn(trial);
  } catch (error) {
    await trial.close();
    throw new Error(
      `${
        error instanceof Error ? error.message : error
      }\nThe trial's database "${trial.database}" is kept.`,
      { cause: error },
    );
  }
  await trial.drop();
}

/** How a text differs from what was expected, line by line. */
export function difference(expected: string, found: string): string {
  const [a, b] = [expected.split("\n"), found.split("\n")];
  return [
    ...a.filter((line) => !b.includes(line)).map((line) => `  - ${line}`),
    ...b.filter((line) => !a.includes(line)).map((line) => `  + ${line}`),
  ].join("\n");
}

/** What an outcome said. */
export function said(error: unknown): string {
  if (error === undefined) return "went through";
  return error instanceof Error ? error.message : String(error);
}
