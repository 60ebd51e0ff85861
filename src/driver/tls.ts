/**
 * What an `sslmode` means: which connections are tried in which order, what is verified, and which
 * failure leads on to the next try. Certificates are read here, so that every driver understands
 * the same settings in the same way.
 *
 * The words have libpq's meaning: https://www.postgresql.org/docs/current/libpq-ssl.html
 *
 * @module
 */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { ConfigError } from "../errors.ts";
import type { SslMode, TlsConfig } from "./driver.ts";
import { HUNG_UP } from "./loss.ts";
import { isPem } from "./settings.ts";
import { isKeyPath } from "./shown.ts";

/** One way of speaking to a server. */
export type TlsAttempt = "plain" | "tls";

/** Options that fit `connect()` of `node:tls`, and the `ssl` of `npm:pg`. */
export interface TlsOptions {
  /** The authorities that are trusted, in PEM; absent for the runtime's own. */
  ca?: string;
  /** The client's certificate, in PEM. */
  cert?: string;
  /** The client's private key, in PEM. */
  key?: string;
  /** The host name told to the server (SNI); absent for an IP address. */
  servername?: string;
  /** Whether a certificate that isn't trusted ends the connection. */
  rejectUnauthorized: boolean;
  /** The check of the server's name against its certificate. */
  checkServerIdentity: (
    hostname: string,
    certificate: PeerCertificate,
  ) => Error | undefined;
}

/** The cause of the error that tells that a server answered the request for TLS with "no". */
export const TLS_REFUSED = "The server does not support SSL connections";

const TLS_SPOILED = "ERR_TLS_SPOILED";

/**
 * The error for an answer to the request for TLS that may be an attacker's: it ends the attempts.
 *
 * @param reason What is wrong with it.
 */
export function tlsSpoiled(reason: string): Error {
  return Object.assign(new Error(reason), { code: TLS_SPOILED });
}

/**
 * The error for a handshake that failed after the server had agreed to it.
 *
 * @param cause What the runtime threw; absent where the server hung up.
 * @returns An error that {@linkcode tlsProblem} knows.
 */
export function handshakeFailure(cause?: unknown): Error {
  if (!(cause instanceof Error) || codeOf(cause) === "ECONNRESET") {
    return Object.assign(new Error(HUNG_UP, { cause }), { code: "EPROTO" });
  }
  if (tlsProblem(cause) !== undefined) return cause;
  return Object.assign(new Error(cause.message, { cause }), { code: "EPROTO" });
}

const ATTEMPTS: Readonly<Record<SslMode, readonly TlsAttempt[]>> = {
  disable: ["plain"],
  allow: ["plain", "tls"],
  prefer: ["tls", "plain"],
  require: ["tls"],
  "verify-ca": ["tls"],
  "verify-full": ["tls"],
};

/**
 * Says which connections a mode tries, in order.
 *
 * @param mode The mode.
 * @returns One or two ways; the second is for a failure that {@linkcode fallsBack} accepts.
 *
 * @example
 * ```ts
 * import { tlsAttempts } from "./tls.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(tlsAttempts("prefer"), ["tls", "plain"]);
 * ```
 */
export function tlsAttempts(mode: SslMode): readonly TlsAttempt[] {
  return ATTEMPTS[mode];
}

/**
 * Says whether a failed first attempt leads on to the second one. Under `prefer` that is a server
 * without TLS, a failed handshake, or one that lets this user in only without it; under `allow` a
 * server that refuses this log-in, as it does where it insists on TLS. Nothing else does: a wrong
 * password is never tried again, nor a server that answers the request for TLS with anything else, or
 * not at all.
 *
 * @param mode The mode.
 * @param error The failure of the first attempt; its cause counts too.
 */
export function fallsBack(mode: SslMode, error: unknown): boolean {
  if (mode === "allow") return ["28000", "08P01"].includes(codeOf(error));
  if (mode !== "prefer" || codeOf(error) === TLS_SPOILED) return false;
  return codeOf(error) === "28000" || tlsProblem(error) !== undefined;
}

const TLS_CODE =
  /^(ERR_TLS_|ERR_SSL_|ERR_OSSL|EPROTO$|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_)/;

const UNKNOWN_AUTHORITY = /^(SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_)/;

/**
 * Says in a few words what went wrong with TLS.
 *
 * @param error A failure of a connection; its cause counts too.
 * @returns What went wrong and what to do, or `undefined` where the failure isn't one of TLS.
 */
export function tlsProblem(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message, cause } = error;
  const code = codeOf(error);
  if (message === TLS_REFUSED) {
    return "the server does not speak TLS; switch it on there, or choose sslmode=disable where the network is trusted";
  }
  if (code === "CERT_HAS_EXPIRED") {
    return "the server's certificate has expired; renew it";
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return `the server's certificate is for another name (${message}); connect by a name in the certificate, or choose sslmode=verify-ca`;
  }
  if (UNKNOWN_AUTHORITY.test(code)) {
    return `the server's certificate is of an unknown authority (${message}); give the authority's certificate in sslrootcert`;
  }
  if (TLS_CODE.test(code)) return `the TLS handshake failed: ${message}`;
  return cause === error ? undefined : tlsProblem(cause);
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : "";
}

/**
 * Reads the certificates of a connection and settles what is verified.
 *
 * | mode | authority | name |
 * | --- | --- | --- |
 * | `allow`, `prefer`, `require` | where a root certificate is given | no |
 * | `verify-ca` | yes | no |
 * | `verify-full` | yes | yes |
 *
 * @param tls The mode, and the files or PEM texts.
 * @param host The host that the connection is for.
 * @throws {ConfigError} Where a file can't be read or doesn't hold what its setting promises.
 */
export async function loadTlsOptions(
  tls: TlsConfig,
  host: string,
): Promise<TlsOptions> {
  const { mode, rootCert, cert, key } = tls;
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert ? ["sslcert", "sslkey"] : [
      "sslkey",
      "sslcert",
    ];
    throw new ConfigError(
      `Cannot use ${given} without ${missing}; give both, or neither`,
    );
  }
  const options: TlsOptions = {
    rejectUnauthorized: mode.startsWith("verify-") || rootCert !== undefined,
    // A runtime without the host would check the name of the machine it runs on.
    checkServerIdentity: (_, certificate) =>
      mode === "verify-full"
        ? checkServerIdentity(host, certificate)
        : undefined,
  };
  if (isIP(host) === 0) options.servername = host;
  if (rootCert !== undefined && rootCert !== "system") {
    options.ca = await readPem(rootCert, {
      setting: "sslrootcert",
      what: "root certificate",
      label: /CERTIFICATE/,
    });
  }
  if (cert !== undefined && key !== undefined) {
    options.cert = await readPem(cert, {
      setting: "sslcert",
      what: "client certificate",
      label: /CERTIFICATE/,
    });
    options.key = await readPem(key, {
      setting: "sslkey",
      what: "client key",
      label: /PRIVATE KEY/,
    });
    if (isOtherKey(options.cert, options.key)) {
      throw new ConfigError(
        "Cannot use sslcert with sslkey: the key is another certificate's; give the two files that were made together",
      );
    }
  }
  return options;
}

/** What can't be read is left to the handshake: it may know more forms of keys. */
function isOtherKey(cert: string, key: string): boolean {
  try {
    return !new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

interface PemOptions {
  setting: string;
  what: string;
  label: RegExp;
}

async function readPem(source: string, options: PemOptions): Promise<string> {
  const { setting, what, label } = options;
  // A private key given as text must not end up in a message.
  const inline = isPem(source);
  const name = inline ? `in ${setting}` : `"${source}"`;
  const text = inline ? source : await readText(source, options);
  const labels = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)]
    .map((match) => match[1]);
  if (!labels.some((found) => label.test(found))) {
    throw new ConfigError(
      `Cannot use the ${what} ${name}: it holds no PEM of that kind; give a PEM file in ${setting}`,
    );
  }
  if (setting === "sslkey" && /ENCRYPTED/.test(text)) {
    throw new ConfigError(
      `Cannot use the ${what} ${name}: it is locked with a passphrase; give a key without one in ${setting}`,
    );
  }
  return text;
}

async function readText(path: string, options: PemOptions): Promise<string> {
  const { setting, what } = options;
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (setting === "sslkey" && !isKeyPath(path)) {
      // Without the cause: it names what was given, which may be the key itself.
      throw new ConfigError(
        `Cannot read the ${what}: what is given is neither PEM text nor the path of a file that can be read; give an existing PEM file in ${setting}`,
      );
    }
    const reason = REASONS[codeOf(error)];
    if (reason === undefined) throw error;
    throw new ConfigError(
      `Cannot read the ${what} "${path}": ${reason}; give an existing PEM file in ${setting}`,
      { cause: error },
    );
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  ENOTDIR: "no such file",
  EISDIR: "it is a folder",
  EACCES: "this user may not read it",
};
