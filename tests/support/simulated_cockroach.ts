/**
 * A PostgreSQL behind the fault proxy that passes for a CockroachDB where migrations can tell: it
 * says that it is one, commits before a schema change, has advisory locks that are stubs, names its
 * sessions, and lists jobs that a test makes up.
 *
 * @module
 */

import { quoteLiteral } from "../../src/sql.ts";
import { classify } from "../../src/migration/statement.ts";
import type { Action, ProxyFrame } from "./fault_proxy.ts";
import { parameterStatus } from "./wire.ts";

/** A row of SHOW JOBS. */
export interface SimulatedJob {
  /** Its id. */
  readonly job_id: string;
  /** Its state. */
  status: string;
  /** The statement; one of the corpus's accounts by default. */
  readonly description?: string;
  /** What it does just now. */
  running_status?: string;
  /** How far it is, from 0 to 1. */
  fraction_completed?: number;
  /** Why it failed. */
  error?: string;
}

const SESSION_NAME =
  "(SELECT pid || '/' || extract(epoch FROM backend_start) FROM pg_stat_activity WHERE pid = pg_backend_pid())";

const SESSIONS =
  "SELECT pid || '/' || extract(epoch FROM backend_start) AS session_id, application_name, " +
  "query AS active_queries, query AS last_active_query, backend_start AS session_start, " +
  "query_start AS active_query_start, " +
  "CASE WHEN xact_start IS NULL THEN 'IDLE' ELSE 'ACTIVE' END AS status " +
  "FROM pg_stat_activity WHERE datname = current_database()";

/** What a server that is simulated was asked about its jobs. */
export interface SimulatedCockroach {
  /** The rule for the proxy. */
  readonly onFrame: (frame: ProxyFrame) => Action | undefined;
  /** The CANCEL JOB statements that came. */
  readonly cancelled: string[];
  /** How often SHOW JOBS was asked. */
  asked: number;
}

/**
 * Makes the rule.
 *
 * @param jobs Gives the jobs, each time SHOW JOBS is asked.
 * @param rule Says what else happens to a frame; it comes first.
 */
export function simulatedCockroach(
  jobs: (asked: number) => readonly SimulatedJob[],
  rule: (frame: ProxyFrame) => Action | undefined = () => undefined,
): SimulatedCockroach {
  const simulated: SimulatedCockroach = { onFrame, cancelled: [], asked: 0 };
  return simulated;

  function onFrame(frame: ProxyFrame): Action | undefined {
    const { direction, type, bytes, nth, text } = frame;
    const own = rule(frame);
    if (own !== undefined) return own;
    if (direction === "server") {
      return type === "ParameterStatus" && nth === 1
        ? {
          replace: [
            bytes,
            parameterStatus("crdb_version", "CockroachDB CCL v25.2.0"),
          ],
        }
        : undefined;
    }
    const rewritten = text && inPostgreSql(text);
    return rewritten && rewritten !== text ? { rewrite: rewritten } : undefined;
  }

  function inPostgreSql(text: string): string {
    if (/^CANCEL JOB /.test(text)) {
      simulated.cancelled.push(text);
      return "SELECT 1";
    }
    if (/\(SHOW JOBS\)/.test(text)) {
      return text.replace("SHOW JOBS", rowsOf(jobs(++simulated.asked)));
    }
    const known = text.replace("SHOW SESSIONS", SESSIONS)
      .replaceAll("current_setting('session_id')", SESSION_NAME)
      .replace(/pg_(try_)?advisory_(xact_)?lock\([^)]*\)/g, "true");
    return classify(known).kind === "ddl" ? `COMMIT; ${known}` : known;
  }
}

const OF_ACCOUNTS =
  "'ALTER TABLE ' || current_database() || '.public.accounts ADD COLUMN extra INT8'";

function rowsOf(jobs: readonly SimulatedJob[]): string {
  const rows = jobs.map((job) => {
    const { job_id, status, running_status, fraction_completed, error } = job;
    const texts = [status, running_status ?? "", error ?? ""].map(quoteLiteral);
    const description = job.description === undefined
      ? OF_ACCOUNTS
      : quoteLiteral(job.description);
    return `(${job_id}::INT8, ${texts.join(", ")}, ${
      fraction_completed ?? 0
    }::FLOAT8, ${description})`;
  });
  return "SELECT *, 'SCHEMA CHANGE' AS job_type, " +
    "current_user AS user_name, now() AS created FROM (VALUES " +
    (rows.join(", ") || "(NULL::INT8, '', '', '', 0::FLOAT8, '')") +
    ") AS v (job_id, status, running_status, error, fraction_completed, description) WHERE job_id IS NOT NULL";
}
