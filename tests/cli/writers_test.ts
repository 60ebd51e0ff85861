import { assertEquals, assertRejects } from "@std/assert";
import {
  LenientWriter,
  type Stream,
  streamWriter,
} from "../../src/cli/writers.ts";
import { delay } from "../../src/delay.ts";

/** A stream that takes so many bytes at a time, and throws the errors first, one at each call. */
function streamOf({ errors = [], size = Infinity }: {
  errors?: (Error | undefined)[];
  size?: number;
}) {
  let text = "";
  const stream: Stream = {
    isTerminal: () => false,
    writeSync(bytes) {
      const error = errors.shift();
      if (error !== undefined) throw error;
      const taken = bytes.subarray(0, size);
      text += new TextDecoder().decode(taken);
      return taken.length;
    },
  };
  return { stream, text: () => text };
}

function full(): Error {
  return new Deno.errors.WouldBlock("Resource temporarily unavailable");
}

Deno.test("streamWriter() waits for a full pipe, and writes in order", async () => {
  const errors = [undefined, full(), full(), undefined, full()];
  const { stream, text } = streamOf({ errors, size: 4 });
  const writer = streamWriter(stream);
  await Promise.all([writer.write("first, "), writer.write("then second")]);
  assertEquals(text(), "first, then second");
});

/** Standard output of Deno on a pipe that is full now and then, with what Rust's buffer keeps. */
function keepingStream() {
  let [text, kept, calls] = ["", "", 0];
  const put = (piece: string) => {
    if (piece !== "" && [2, 3].includes(++calls % 5)) throw full();
    const taken = piece.slice(0, 4_096);
    text += taken;
    return taken.length;
  };
  const flush = () => {
    put(kept);
    kept = "";
  };
  const write = (piece: string) => {
    const end = piece.lastIndexOf("\n") + 1;
    if (end === 0 && kept.length + piece.length < 1_024) {
      kept += piece;
      return piece.length;
    }
    flush();
    if (end === 0) return put(piece);
    const taken = put(piece.slice(0, end));
    kept = (taken < end ? piece.slice(taken, end) : piece.slice(end))
      .slice(0, 1_024);
    return taken + kept.length;
  };
  const stream: Stream = {
    isTerminal: () => false,
    writeSync(bytes) {
      const count = write(new TextDecoder().decode(bytes));
      flush();
      return count;
    },
  };
  return { stream, text: () => text };
}

Deno.test("streamWriter() writes nothing twice where the runtime keeps a part of what failed", async () => {
  const lines = [10_000, 3, 0, 4_095, 1_500, 900, 5_000, 2_047, 6_143, 20]
    .map((length, index) => `${String(index).repeat(length)}\n`);
  for (const expected of [lines.join(""), ...lines, "x".repeat(9_000)]) {
    const { stream, text } = keepingStream();
    await streamWriter(stream).write(expected);
    assertEquals([text() === expected, text().length], [true, expected.length]);
  }
});

Deno.test("streamWriter() leaves out what nobody reads any more", async () => {
  const errors = [full(), new Deno.errors.BrokenPipe("Broken pipe")];
  const { stream, text } = streamOf({ errors });
  const writer = streamWriter(stream);
  await writer.write("first");
  assertEquals(text(), "");
});

Deno.test("streamWriter() tells of any other error, and writes what comes next", async () => {
  const { stream, text } = streamOf({ errors: [new Error("No space")] });
  const writer = streamWriter(stream);
  const [first, second] = [writer.write("first"), writer.write("second")];
  await assertRejects(async () => await first, Error, "No space");
  await second;
  assertEquals(text(), "second");
});

Deno.test("LenientWriter leaves out what can't be written, now or later", async () => {
  const texts: string[] = [];
  const writer = new LenientWriter({
    isTerminal: true,
    write(text) {
      if (text === "now") throw new Error("No space");
      if (text === "later") return Promise.reject(new Error("No space"));
      texts.push(text);
    },
  });
  for (const text of ["first", "now", "later", "last"]) writer.write(text);
  await writer.end();
  assertEquals([writer.isTerminal, texts], [true, ["first", "last"]]);
});

Deno.test("LenientWriter waits for all that is on its way", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const writer = new LenientWriter({
    isTerminal: false,
    write: (text) => text === "slow" ? promise : undefined,
  });
  writer.write("slow");
  writer.write("fast");
  let isOver = false;
  const end = writer.end().then(() => void (isOver = true));
  await delay(10);
  assertEquals(isOver, false);
  resolve();
  await end;
});
