/**
 * PGlite behind a socket: a PostgreSQL that npm brings, for machines with no other.
 *
 * PGlite has one session and one database. So each database is an instance of its own, made by
 * `CREATE DATABASE` and named by the log-in, and the connections to one instance take turns: a
 * turn lasts from a connection's first frame to the `ReadyForQuery` that says that no transaction
 * is open. Session settings are therefore shared, and a cancel request has no effect.
 *
 * @module
 */

import { PGlite } from "@electric-sql/pglite";

const SSL_REQUEST = 80877103;
const CANCEL_REQUEST = 80877102;
const text = new TextDecoder();
const bytes = new TextEncoder();

/** Starts a server on a free loopback port. */
export async function startPglite(): Promise<
  { port: number; stop(): Promise<void> }
> {
  const databases = new Map<string, Instance>([[
    "postgres",
    await openInstance(),
  ]]);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const accepting = (async () => {
    for await (const connection of listener) {
      open.add(connection);
      serve(connection, databases)
        .catch(() => {})
        .finally(() => open.delete(connection));
    }
  })();
  return {
    port: listener.addr.port,
    async stop() {
      listener.close();
      await accepting;
      for (const connection of open) connection.close();
      for (const { pglite } of databases.values()) await pglite.close();
    },
  };
}

/** One database, and the end of the queue of those who wait for it. */
interface Instance {
  readonly pglite: PGlite;
  queue: Promise<void>;
}

async function openInstance(): Promise<Instance> {
  return { pglite: await PGlite.create(), queue: Promise.resolve() };
}

async function takeTurn(instance: Instance): Promise<() => void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const before = instance.queue;
  instance.queue = before.then(() => promise);
  await before;
  return resolve;
}

async function serve(
  connection: Deno.TcpConn,
  databases: Map<string, Instance>,
): Promise<void> {
  connection.setNoDelay(true);
  const frames = readFrames(connection);
  const login = await startup(connection, frames);
  if (!login) return;
  const instance = databases.get(login.database);
  if (!instance) {
    await connection.write(
      failure("FATAL", "3D000", `database "${login.database}" does not exist`),
    );
    connection.close();
    return;
  }
  let endTurn: (() => void) | undefined = await takeTurn(instance);
  try {
    await answer(connection, instance, login.frame);
    endTurn();
    endTurn = undefined;
    for await (const frame of frames) {
      const type = String.fromCharCode(frame[0]);
      if (type === "X") return;
      const own = type === "Q"
        ? databaseCommand(text.decode(frame.subarray(5, -1)))
        : undefined;
      if (own) {
        await connection.write(await runDatabaseCommand(own, databases));
        continue;
      }
      endTurn ??= await takeTurn(instance);
      if (await answer(connection, instance, frame) === "I") {
        endTurn();
        endTurn = undefined;
      }
    }
  } finally {
    if (endTurn) {
      await instance.pglite.exec("ROLLBACK").catch(() => {});
      endTurn();
    }
    try {
      connection.close();
    } catch {
      // The other side was quicker.
    }
  }
}

/** Hands a frame to PGlite, and returns the transaction status of a `ReadyForQuery`, if one came. */
async function answer(
  connection: Deno.TcpConn,
  { pglite }: Instance,
  frame: Uint8Array,
): Promise<string | undefined> {
  const reply = await pglite.execProtocolRaw(frame, { syncToFs: false });
  for (let written = 0; written < reply.length;) {
    written += await connection.write(reply.subarray(written));
  }
  let status: string | undefined;
  const view = new DataView(reply.buffer, reply.byteOffset, reply.byteLength);
  for (let at = 0; at + 5 <= reply.length; at += 1 + view.getUint32(at + 1)) {
    if (reply[at] === 0x5a) status = String.fromCharCode(reply[at + 5]);
  }
  return status;
}

interface DatabaseCommand {
  readonly verb: "CREATE" | "DROP";
  readonly name: string;
  readonly lenient: boolean;
}

function databaseCommand(sql: string): DatabaseCommand | undefined {
  const match =
    /^\s*(CREATE|DROP)\s+DATABASE\s+(IF\s+(?:NOT\s+)?EXISTS\s+)?(?:"((?:[^"]|"")+)"|(\w+))[^"]*$/i
      .exec(sql);
  if (!match) return undefined;
  const [, verb, lenient, quoted, plain] = match;
  return {
    verb: verb.toUpperCase() as "CREATE" | "DROP",
    name: quoted?.replaceAll('""', '"') ?? plain.toLowerCase(),
    lenient: lenient !== undefined,
  };
}

async function runDatabaseCommand(
  { verb, name, lenient }: DatabaseCommand,
  databases: Map<string, Instance>,
): Promise<Uint8Array> {
  const found = databases.get(name);
  const missing = verb === "DROP" && !found;
  if ((verb === "CREATE" && found || missing) && !lenient) {
    return join(
      missing
        ? failure("ERROR", "3D000", `database "${name}" does not exist`)
        : failure("ERROR", "42P04", `database "${name}" already exists`),
      READY,
    );
  }
  if (verb === "CREATE" && !found) databases.set(name, await openInstance());
  if (verb === "DROP" && found) {
    databases.delete(name);
    await found.queue;
    await found.pglite.close();
  }
  return join(message("C", bytes.encode(`${verb} DATABASE\0`)), READY);
}

async function startup(
  connection: Deno.TcpConn,
  frames: AsyncIterator<Uint8Array>,
): Promise<{ database: string; frame: Uint8Array } | undefined> {
  while (true) {
    const { value: frame, done } = await frames.next();
    if (done) return undefined;
    const code = new DataView(frame.buffer, frame.byteOffset).getUint32(4);
    if (code === SSL_REQUEST) {
      await connection.write(bytes.encode("N"));
      continue;
    }
    if (code === CANCEL_REQUEST) {
      connection.close();
      return undefined;
    }
    const words = text.decode(frame.subarray(8)).split("\0");
    const parameters = new Map<string, string>();
    for (let at = 0; at + 1 < words.length && words[at]; at += 2) {
      parameters.set(words[at], words[at + 1]);
    }
    // Every instance has just one database and one user, whatever the client calls them.
    return {
      database: parameters.get("database") ?? "postgres",
      frame: join(
        new Uint8Array([0, 0, 0, 41, 0, 3, 0, 0]),
        bytes.encode("user\0postgres\0database\0postgres\0\0"),
      ),
    };
  }
}

/** Yields whole frames; the first ones, up to the start-up message, have no type byte. */
async function* readFrames(
  connection: Deno.Conn,
): AsyncGenerator<Uint8Array, void> {
  let buffer = new Uint8Array(0);
  let started = false;
  const chunk = new Uint8Array(65_536);
  while (true) {
    const head = started ? 1 : 0;
    if (buffer.length >= head + 4) {
      const size = head + new DataView(buffer.buffer).getUint32(head);
      if (buffer.length >= size) {
        const frame = buffer.slice(0, size);
        buffer = buffer.slice(size);
        started ||= frame[4] === 0 && frame[5] === 3;
        yield frame;
        continue;
      }
    }
    const count = await connection.read(chunk);
    if (count === null) return;
    buffer = join(buffer, chunk.subarray(0, count));
  }
}

const READY = message("Z", bytes.encode("I"));

function failure(severity: string, code: string, sentence: string): Uint8Array {
  return message(
    "E",
    bytes.encode(`S${severity}\0V${severity}\0C${code}\0M${sentence}\0\0`),
  );
}

function message(type: string, body: Uint8Array): Uint8Array {
  const head = new Uint8Array(5);
  head[0] = type.charCodeAt(0);
  new DataView(head.buffer).setUint32(1, body.length + 4);
  return join(head, body);
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}
