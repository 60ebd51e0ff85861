import {
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  checkSignature,
  scramFirst,
  scramProof,
} from "../../src/driver/scram.ts";

// https://www.rfc-editor.org/rfc/rfc7677#section-3
const FIRST = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
const NONCE = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const SALT = "W22ZaJ0SNY7soEsUEjb6gQ==";
const CHALLENGE = `r=${NONCE},s=${SALT},i=4096`;
const SIGNATURE = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

const proofOf = (challenge: string) =>
  scramProof(challenge, { first: FIRST, password: "pencil" });

Deno.test("scramProof() answers the example of RFC 7677", async () => {
  const proof = await proofOf(CHALLENGE);
  assertEquals(proof, {
    message: `c=biws,r=${NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
    expected: SIGNATURE,
  });
  checkSignature(SIGNATURE, proof);
  checkSignature(`${SIGNATURE},x=extension`, proof);
});

Deno.test("checkSignature() throws where the server doesn't know the password", async () => {
  const proof = await proofOf(CHALLENGE);
  for (const answer of ["", "v=", `${SIGNATURE}x`, "e=other-error"]) {
    assertThrows(
      () => checkSignature(answer, proof),
      Error,
      "the server doesn't know the password: its signature for SCRAM is wrong; check host and port",
    );
  }
});

Deno.test("scramFirst() names no user, and never uses a nonce twice", () => {
  assertEquals(scramFirst("abc"), "n,,n=,r=abc");
  assertMatch(scramFirst(), /^n,,n=,r=[A-Za-z0-9+/]{24}$/);
  assertNotEquals(scramFirst(), scramFirst());
});

Deno.test("scramProof() rejects another one's nonce, and ours without the server's part", async () => {
  for (const nonce of ["rOprNGfwEbeRWgbNEkqO", "other", `x${NONCE}`]) {
    await assertRejects(
      () => proofOf(`r=${nonce},s=${SALT},i=4096`),
      Error,
      "the server's nonce for SCRAM doesn't begin with ours; check host and port",
    );
  }
});

Deno.test("scramProof() computes a million iterations at most", async () => {
  for (const count of ["1000001", "2147483647", "9".repeat(400)]) {
    await assertRejects(
      () => proofOf(`r=${NONCE},s=${SALT},i=${count}`),
      Error,
      `the server asks for ${
        Number(count)
      } iterations of SCRAM, and more than 1000000 are refused; check host and port, or set the password again with fewer`,
    );
  }
});

Deno.test("scramProof() rejects a challenge that is malformed", async () => {
  for (
    const challenge of [
      "",
      `m=x,${CHALLENGE}`,
      `r=${NONCE},s=,i=4096`,
      `r=${NONCE},s=?,i=4096`,
      `r=${NONCE},s=${SALT}`,
      ...["0", "-1", "1e3", ""].map((i) => `r=${NONCE},s=${SALT},i=${i}`),
    ]
  ) {
    await assertRejects(
      () => proofOf(challenge),
      Error,
      "the server's challenge for SCRAM is malformed; check host and port",
    );
  }
});
