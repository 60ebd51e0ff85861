/**
 * A PostgreSQL server that speaks TLS, with certificates made for it, in a folder that is removed
 * at the end. Without TLS too it lets in members of the roles `scram`, `md5` and `clear`, each by that
 * way of asking for a password. Where `openssl` or PostgreSQL's own binaries are missing, there is a reason to skip.
 *
 * @module
 */

import { join } from "@std/path";

/** A running server and its certificates. */
export interface TlsServer extends AsyncDisposable {
  /** The port on 127.0.0.1. */
  readonly port: number;
  /** Gives the path of a file, such as `ca.crt`, `other.crt`, `client.crt`, `client.key`. */
  path(name: string): string;
  /** Makes the server present another certificate, such as `expired`. */
  present(name: string): Promise<void>;
}

const HBA = `
hostssl all cert_user 127.0.0.1/32 cert
hostssl all scram_user 127.0.0.1/32 scram-sha-256
hostssl all postgres 127.0.0.1/32 trust
hostnossl all plain_user 127.0.0.1/32 trust
host all +scram 127.0.0.1/32 scram-sha-256
host all +md5 127.0.0.1/32 md5
host all +clear 127.0.0.1/32 password
local all postgres trust
`;

const ROLES = `
CREATE ROLE cert_user LOGIN;
CREATE ROLE plain_user LOGIN;
CREATE ROLE scram_user LOGIN PASSWORD 'right';
CREATE ROLE scram;
CREATE ROLE md5;
CREATE ROLE clear;
`;

/**
 * Says why the server can't be started here.
 *
 * @returns The reason, or `undefined` where it can.
 */
export async function tlsServerMissing(): Promise<string | undefined> {
  if (Deno.build.os === "windows") return "PostgreSQL is started on Unix only";
  if (await binaries() === undefined) return "PostgreSQL's initdb is missing";
  const { success } = await new Deno.Command("openssl", { args: ["version"] })
    .output().catch(() => ({ success: false }));
  return success ? undefined : "openssl is missing";
}

/** Makes certificates and starts a server that presents the one for `localhost`. */
export async function startTlsServer(): Promise<TlsServer> {
  const folder = await Deno.makeTempDir({ prefix: "crdb_tls_" });
  const path = (name: string) => join(folder, name);
  const data = path("data");
  const bin = (await binaries())!;
  await makeCertificates(folder);
  const owner = await unprivileged();
  if (owner !== undefined) {
    await run("chown", ["-R", `${owner.uid}:${owner.gid}`, folder], {});
  }
  const as = owner ?? {};
  await run(`${bin}/initdb`, [
    ...["-D", data, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8"],
  ], as);
  await Deno.writeTextFile(join(data, "pg_hba.conf"), HBA);
  const port = freePort();
  await Deno.writeTextFile(
    join(data, "postgresql.auto.conf"),
    `port = ${port}
listen_addresses = '127.0.0.1'
unix_socket_directories = '${folder}'
fsync = off
ssl = on
ssl_ca_file = '${path("ca.crt")}'
ssl_cert_file = '${path("presented.crt")}'
ssl_key_file = '${path("server.key")}'
`,
  );
  const control = (...args: string[]) =>
    run(`${bin}/pg_ctl`, ["-D", data, "-w", "-l", path("log"), ...args], as);
  await control("start");
  await run(`${bin}/psql`, [
    ...["-h", folder, "-p", `${port}`, "-U", "postgres", "-qc", ROLES],
  ], as);
  return {
    port,
    path,
    async present(name: string): Promise<void> {
      await Deno.writeTextFile(
        path("presented.crt"),
        await Deno.readTextFile(path(`${name}.crt`)),
      );
      await control("restart", "-m", "fast");
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await control("stop", "-m", "immediate");
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function makeCertificates(folder: string): Promise<void> {
  const openssl = (...args: string[]) => run("openssl", args, { cwd: folder });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  for (const name of ["ca", "other"]) {
    await openssl(
      ...["req", "-x509", ...key, "-nodes", "-days", "2"],
      ...["-subj", `/CN=crdb ${name}`],
      ...["-keyout", `${name}.key`, "-out", `${name}.crt`],
    );
  }
  const certificates = [
    { name: "server", subject: "localhost", days: "2" },
    { name: "expired", subject: "localhost", days: "-1" },
    { name: "client", subject: "cert_user", days: "2" },
  ];
  for (const { name, subject, days } of certificates) {
    const keys = name === "expired"
      ? ["-new", "-key", "server.key"]
      : [...key, "-nodes", "-keyout", `${name}.key`];
    await openssl(
      ...["req", ...keys, "-subj", `/CN=${subject}`, "-out", `${name}.csr`],
    );
    await Deno.writeTextFile(
      join(folder, `${name}.ext`),
      `subjectAltName=DNS:${subject}\n`,
    );
    await openssl(
      ...["x509", "-req", "-in", `${name}.csr`, "-days", days],
      ...["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"],
      ...["-extfile", `${name}.ext`, "-out", `${name}.crt`],
    );
  }
  await Deno.copyFile(
    join(folder, "server.crt"),
    join(folder, "presented.crt"),
  );
  for (const name of ["server", "client"]) {
    await Deno.chmod(join(folder, `${name}.key`), 0o600);
  }
}

async function binaries(): Promise<string | undefined> {
  const root = "/usr/lib/postgresql";
  try {
    for await (const { name } of Deno.readDir(root)) {
      const bin = `${root}/${name}/bin`;
      if (await Deno.stat(`${bin}/initdb`).catch(() => undefined)) return bin;
    }
  } catch {
    // No packaged PostgreSQL: perhaps one is on PATH.
  }
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  for (const bin of folders) {
    if (await Deno.stat(`${bin}/initdb`).catch(() => undefined)) return bin;
  }
}

/** PostgreSQL refuses to run as root. */
async function unprivileged(): Promise<
  { uid: number; gid: number } | undefined
> {
  if (Deno.uid() !== 0) return undefined;
  const id = async (option: string) =>
    Number(await run("id", [option, "postgres"], {}));
  return { uid: await id("-u"), gid: await id("-g") };
}

async function run(
  command: string,
  args: string[],
  options: Deno.CommandOptions,
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    ...options,
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (!success) throw new Error(`${command} failed: ${decode(stderr)}`);
  return decode(stdout);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
