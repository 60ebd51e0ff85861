/**
 * The answers to what a server asks for while a session logs in: the password in clear text, hashed
 * with MD5, or the proof of SCRAM-SHA-256.
 *
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
 *
 * @module
 */

import { createHash } from "node:crypto";
import { DatabaseError } from "../errors.ts";
import type { ConnectionConfig } from "./driver.ts";
import { passwordMessage, saslInitialResponse } from "./requests.ts";
import {
  checkSignature,
  SCRAM,
  scramFirst,
  type ScramProof,
  scramProof,
} from "./scram.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The numbers of the server's requests. */
const REQUEST = {
  ok: 0,
  clearText: 3,
  md5: 5,
  sasl: 10,
  saslContinue: 11,
  saslFinal: 12,
} as const;

const KNOWN = new Set<number>(Object.values(REQUEST));

/** One session's log-in. */
export class LogIn {
  #config: Pick<ConnectionConfig, "user" | "password">;
  /** Nothing, once the server has let the session in. */
  #expected: readonly number[] = [
    ...[REQUEST.ok, REQUEST.clearText, REQUEST.md5, REQUEST.sasl],
  ];
  #first = "";
  #proof: ScramProof = { message: "", expected: "" };

  /**
   * Makes a log-in of which nothing was said yet.
   *
   * @param config User and password.
   */
  constructor(config: Pick<ConnectionConfig, "user" | "password">) {
    this.#config = config;
  }

  /**
   * Answers a request.
   *
   * @param request The body of an Authentication frame.
   * @returns The frame to send; `undefined` where the server waits for none.
   * @throws {DatabaseError} SQLSTATE 28P01, where there is no password.
   * @throws {Error} A request that isn't known, comes out of turn, or gives the server away as one
   * that doesn't know the password.
   */
  async answer(request: Uint8Array): Promise<Uint8Array | undefined> {
    const { buffer, byteOffset, length } = request;
    const code = length < 4
      ? NaN
      : new DataView(buffer, byteOffset).getInt32(0);
    const data = request.subarray(4);
    this.#check(code);
    switch (code) {
      case REQUEST.ok:
        this.#expected = [];
        return;
      case REQUEST.clearText:
        return this.#send(`${this.#password}\0`, REQUEST.ok);
      case REQUEST.md5:
        return this.#send(`${this.#md5(data)}\0`, REQUEST.ok);
      case REQUEST.sasl:
        return this.#begin(data);
      case REQUEST.saslContinue: {
        const [first, password] = [this.#first, this.#password];
        const challenge = decoder.decode(data);
        this.#proof = await scramProof(challenge, { first, password });
        return this.#send(this.#proof.message, REQUEST.saslFinal);
      }
      case REQUEST.saslFinal:
        checkSignature(decoder.decode(data), this.#proof);
        this.#expected = [REQUEST.ok];
    }
  }

  /**
   * Refuses a server that goes on before it has let the session in.
   *
   * @throws {Error} Such a server: it hasn't shown that it knows the password.
   */
  checkDone(): void {
    if (this.#expected.length > 0) throw partMissing();
  }

  get #password(): string {
    const { user, password } = this.#config;
    if (password === undefined) throw passwordMissing(user);
    return password;
  }

  #check(code: number): void {
    if (this.#expected.includes(code)) return;
    if (!KNOWN.has(code)) throw unsupportedLogIn(code);
    throw partMissing();
  }

  #send(text: string, expected: number): Uint8Array {
    this.#expected = [expected];
    return passwordMessage(encoder.encode(text));
  }

  /** The hash that the server keeps is of password and user; it is hashed again with the salt. */
  #md5(salt: Uint8Array): string {
    const kept = createHash("md5").update(this.#password + this.#config.user)
      .digest("hex");
    return `md5${createHash("md5").update(kept).update(salt).digest("hex")}`;
  }

  #begin(data: Uint8Array): Uint8Array {
    const offered = decoder.decode(data).split("\0").filter(Boolean);
    if (!offered.includes(SCRAM)) {
      throw new Error(
        `the server asks for a log-in by ${
          offered.join(", ") || "nothing"
        } only; let it offer ${SCRAM}`,
      );
    }
    // Without a password there is nothing to begin.
    void this.#password;
    this.#first = scramFirst();
    this.#expected = [REQUEST.saslContinue];
    return saslInitialResponse(SCRAM, encoder.encode(this.#first));
  }
}

function partMissing(): Error {
  return new Error(
    "the server leaves out a part of the log-in, and hasn't shown that it knows the password; check host and port",
  );
}

/**
 * The error for a server that asks for something else than a password, such as GSSAPI (7).
 *
 * @param code The number of its request.
 */
export function unsupportedLogIn(code: number): Error {
  return new Error(
    `the server asks for a log-in of a kind that isn't supported (${code}); let it ask for ${SCRAM}`,
  );
}

/**
 * The error for a server that asks for a password where none is given.
 *
 * @param user Who logs in.
 */
export function passwordMissing(user: string): DatabaseError {
  return new DatabaseError({
    severity: "FATAL",
    code: "28P01",
    message:
      `Cannot log in as "${user}": the server asks for a password and none is given; give one, or the client certificate of a secure CockroachDB (sslcert, sslkey)`,
  });
}
