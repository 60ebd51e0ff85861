/**
 * The client's side of SCRAM-SHA-256: the messages of its exchange with the server, and the proof that
 * each side knows the password. There is no channel binding, and no user name: the start-up message
 * has it.
 *
 * https://www.rfc-editor.org/rfc/rfc5802, https://www.rfc-editor.org/rfc/rfc7677
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { saslPrep } from "./saslprep.ts";

/** The mechanism's name. */
export const SCRAM = "SCRAM-SHA-256";

/** More would keep the process busy for seconds; CockroachDB's default was once 119,680. */
const MAX_ITERATIONS = 1_000_000;

/** The messages begin with "no channel binding", as it is repeated in base 64 later. */
const GS2_HEADER = "n,,";
const BINDING = "biws";

const encoder = new TextEncoder();

/** What the client answers a challenge with. */
export interface ScramProof {
  /** The client's last message. */
  readonly message: string;
  /** What a server that knows the password then says. */
  readonly expected: string;
}

/**
 * Makes the client's first message.
 *
 * @param nonce Text that was never used before, without commas. Default: a random one.
 */
export function scramFirst(nonce: string = randomNonce()): string {
  return `${GS2_HEADER}n=,r=${nonce}`;
}

function randomNonce(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(18)))
    .toString("base64");
}

/**
 * Answers the server's challenge.
 *
 * @param challenge The server's first message.
 * @param options The client's first message, and the password.
 * @returns The client's last message, and what the server has to answer.
 * @throws {Error} A challenge that is malformed, is no answer to the first message, or asks for more
 * than a million iterations.
 */
export async function scramProof(
  challenge: string,
  options: { first: string; password: string },
): Promise<ScramProof> {
  const { password } = options;
  const first = options.first.slice(GS2_HEADER.length);
  const { nonce, salt, iterations } = readChallenge(challenge);
  const ours = first.slice(first.indexOf(",r=") + 3);
  if (!nonce.startsWith(ours) || nonce === ours) {
    throw new Error(
      "the server's nonce for SCRAM doesn't begin with ours; check host and port",
    );
  }
  if (iterations > MAX_ITERATIONS) {
    throw new Error(
      `the server asks for ${iterations} iterations of SCRAM, and more than ${MAX_ITERATIONS} are refused; check host and port, or set the password again with fewer`,
    );
  }
  const salted = await saltedPassword(password, { salt, iterations });
  const clientKey = await hmac(salted, "Client Key");
  const storedKey = await crypto.subtle.digest("SHA-256", clientKey);
  const bare = `c=${BINDING},r=${nonce}`;
  const transcript = `${first},${challenge},${bare}`;
  const mask = await hmac(storedKey, transcript);
  const proof = clientKey.map((byte, at) => byte ^ mask[at]);
  const signature = await hmac(await hmac(salted, "Server Key"), transcript);
  return {
    message: `${bare},p=${base64(proof)}`,
    expected: `v=${base64(signature)}`,
  };
}

/**
 * Checks that the server knows the password too.
 *
 * @param answer The server's last message.
 * @param proof What the client sent before.
 * @throws {Error} Where the server's signature is another one.
 */
export function checkSignature(answer: string, proof: ScramProof): void {
  const [signature] = answer.split(",");
  if (signature === proof.expected) return;
  throw new Error(
    "the server doesn't know the password: its signature for SCRAM is wrong; check host and port",
  );
}

interface Challenge {
  nonce: string;
  salt: Uint8Array<ArrayBuffer>;
  iterations: number;
}

const CHALLENGE =
  /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9]\d*)(,|$)/;

function readChallenge(challenge: string): Challenge {
  const parts = CHALLENGE.exec(challenge);
  if (parts === null) {
    throw new Error(
      "the server's challenge for SCRAM is malformed; check host and port",
    );
  }
  const [, nonce, salt, iterations] = parts;
  return {
    nonce,
    salt: new Uint8Array(Buffer.from(salt, "base64")),
    iterations: Number(iterations),
  };
}

async function saltedPassword(
  password: string,
  options: Pick<Challenge, "salt" | "iterations">,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = encoder.encode(saslPrep(password));
  const key = await crypto.subtle.importKey("raw", bytes, "PBKDF2", false, [
    "deriveBits",
  ]);
  const algorithm = { name: "PBKDF2", hash: "SHA-256", ...options };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, 256));
}

async function hmac(
  secret: BufferSource,
  text: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", secret, algorithm, false, [
    "sign",
  ]);
  const bytes = encoder.encode(text);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
