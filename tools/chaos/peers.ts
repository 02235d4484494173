/**
 * What the faults share: connections that send raw bytes, and loops that run until they are stopped.
 *
 * @module
 */
import { sleep } from "../../base/sleep.ts";
import { alpnOf as alpnOfName } from "../../wire/versions.ts";
import type { Connection, SendStream } from "../../transport/connection.ts";
import { dial } from "../../transport/dial.ts";
import type { TransportSettings } from "../../transport/quic/quic_settings.ts";
import { DIALECTS, type LiteVersion } from "../../wire/lite/dialect.ts";
import type { Stage } from "./fault.ts";

export type Way = "quic" | "webtransport" | "websocket";

/** A connection to the relay on which nothing was sent yet. @throws {ConnectFailed} */
export function knock(
  { relay, signal }: Stage,
  way: Way,
  protocol: string,
  transport: TransportSettings = {},
): Promise<Connection> {
  const scheme = { quic: "moqt", webtransport: "https", websocket: "ws" }[way];
  return dial(`${scheme}://127.0.0.1:${relay.port}/`, {
    protocols: [protocol],
    hash: Uint8Array.fromHex(relay.hash),
    signal,
    transport,
  });
}

export const alpnOf = (version: LiteVersion): string =>
  alpnOfName(DIALECTS.find((dialect) => dialect.version === version)!.name);

/** What a peer has to send first, so that the relay reads the rest. */
export async function greet(connection: Connection, version: LiteVersion): Promise<void> {
  if (version >= 5) {
    await uni(connection, Uint8Array.fromHex("010501050243e8")).then((stream) => stream.finish());
  } else if (version <= 2) {
    const { send } = await connection.openBidi();
    send.write(Uint8Array.fromHex(`20000a01c0000000ff0dad0${version}00`));
    hold(connection, send);
  }
}

/** Deno finishes a stream that nobody holds. These live as long as their connection. */
const held = new WeakMap<Connection, object[]>();

export function hold(connection: Connection, stream: object): void {
  const all = held.get(connection);
  if (all === undefined) held.set(connection, [stream]);
  else all.push(stream);
}

export async function uni(connection: Connection, bytes: Uint8Array): Promise<SendStream> {
  const stream = await connection.openUni();
  hold(connection, stream);
  if (bytes.length > 0) stream.write(bytes);
  return stream;
}

/** Repeats the work, `width` at a time, until the signal aborts. A failure is tried again. @returns How often it ran. */
export async function loops(
  signal: AbortSignal,
  width: number,
  body: (turn: number) => Promise<void>,
): Promise<number> {
  let turns = 0;
  await Promise.all(Array.from({ length: width }, async () => {
    while (!signal.aborted) {
      await body(turns++).catch(() => sleep(20));
    }
  }));
  return turns;
}

/** Waits for the work at most this long. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  work.catch(() => {});
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await Promise.race([
      work,
      new Promise<undefined>((resolve) => timer = setTimeout(() => resolve(undefined), ms)),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

export const number = (n: number): string => n.toLocaleString("en");
