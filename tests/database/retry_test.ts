import { assert, assertEquals, assertRejects } from "@std/assert";
import { AmbiguousCommitError, DatabaseError } from "../../src/errors.ts";
import {
  isRetryable,
  isRetryRequest,
  type Retryable,
  runWithRetries,
} from "../../src/database/retry.ts";

const restart = () =>
  new DatabaseError({ code: "40001", message: "restart transaction" });

/** A transaction that notes its verbs, and fails in them as the script says. */
class Scripted implements Retryable<string> {
  readonly verbs: string[] = [];
  readonly #failures: Partial<Record<string, unknown[]>>;

  constructor(failures: Partial<Record<string, unknown[]>> = {}) {
    this.#failures = failures;
  }

  begin(): Promise<void> {
    return this.#do("begin");
  }

  async body(): Promise<string> {
    await this.#do("body");
    return `attempt ${this.verbs.filter((verb) => verb === "body").length}`;
  }

  commit(): Promise<void> {
    return this.#do("commit");
  }

  rollback(): Promise<void> {
    return this.#do("rollback");
  }

  mayRetry(error: unknown): boolean {
    return isRetryable(error);
  }

  #do(verb: string): Promise<void> {
    this.verbs.push(verb);
    const failure = this.#failures[verb]?.shift();
    return failure === undefined ? Promise.resolve() : Promise.reject(failure);
  }
}

Deno.test("runWithRetries() begins, works and commits", async () => {
  const transaction = new Scripted();
  assertEquals(
    await runWithRetries(transaction, { maxRetries: 3 }),
    "attempt 1",
  );
  assertEquals(transaction.verbs, ["begin", "body", "commit"]);
});

Deno.test("runWithRetries() runs the whole work again, wherever the server asks for it", async () => {
  for (const verb of ["begin", "body", "commit"]) {
    const transaction = new Scripted({ [verb]: [restart(), restart()] });
    await runWithRetries(transaction, { maxRetries: 3 });
    assertEquals(
      transaction.verbs.filter((one) => one === verb).length,
      3,
      verb,
    );
    assertEquals(
      transaction.verbs.filter((one) => one === "rollback").length,
      2,
      verb,
    );
    assertEquals(transaction.verbs.at(-1), "commit");
  }
});

Deno.test("runWithRetries() gives up after its retries, with the last error", async () => {
  const errors = [restart(), restart(), restart()];
  const transaction = new Scripted({ body: [...errors] });
  const thrown = await runWithRetries(transaction, { maxRetries: 2 })
    .catch((error) => error);
  assert(thrown === errors[2]);
  assertEquals(transaction.verbs.at(-1), "rollback");
});

Deno.test("runWithRetries() rolls back and rethrows any other error as it is", async () => {
  const error = new Error("mine");
  const transaction = new Scripted({ body: [error] });
  const thrown = await runWithRetries(transaction, { maxRetries: 9 })
    .catch((error) => error);
  assert(thrown === error);
  assertEquals(transaction.verbs, ["begin", "body", "rollback"]);
});

Deno.test("runWithRetries() ends its waiting when the signal fires", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const failures = Array.from({ length: 1_000 }, restart);
  const transaction = new Scripted({ body: failures });
  const { signal } = controller;
  const running = runWithRetries(transaction, { maxRetries: 1_000, signal });
  setTimeout(() => controller.abort(reason), 30);
  const thrown = await assertRejects(() => running);
  assert(thrown === reason);
});

Deno.test("isRetryRequest() finds 40001 and its like, also as a cause", () => {
  assert(isRetryRequest(restart()));
  assert(isRetryRequest(new Error("mine", { cause: restart() })));
  for (const code of ["40P01", "CR000"]) {
    assert(isRetryRequest(new DatabaseError({ code, message: "again" })));
  }
  for (const code of ["40003", "08006", "23505", "25P02"]) {
    assert(!isRetryRequest(new DatabaseError({ code, message: "no" })), code);
  }
  assert(!isRetryRequest(undefined));
});

Deno.test("isRetryable() takes lost connections, but not those that were never made", () => {
  for (const code of ["08006", "57P01", "08P01"]) {
    assert(isRetryable(new DatabaseError({ code, message: "lost" })), code);
  }
  for (const code of ["08001", "08003", "57014"]) {
    assert(!isRetryable(new DatabaseError({ code, message: "no" })), code);
  }
});

Deno.test("isRetryable() never takes an unknown outcome, whatever its cause", () => {
  assert(!isRetryable(new AmbiguousCommitError("?", { cause: restart() })));
});
