/**
 * What a server says that it is.
 *
 * @module
 */

/** What a server is. */
export interface ServerInfo {
  /** The product. */
  kind: "cockroachdb" | "postgresql";
  /** Its version, such as `v25.2.1` or `15.18`. */
  version: string;
}

/**
 * Reads a server's own words.
 *
 * @param version What CockroachDB reports as `crdb_version`, or the value of `version()`.
 * @param reported What it reports as `server_version`; CockroachDB names a version of PostgreSQL's.
 */
export function describeServer(version: string, reported: string): ServerInfo {
  return version.startsWith("CockroachDB")
    ? { kind: "cockroachdb", version: /v\d\S*/.exec(version)?.[0] ?? version }
    : { kind: "postgresql", version: /^\S+/.exec(reported)?.[0] ?? version };
}
