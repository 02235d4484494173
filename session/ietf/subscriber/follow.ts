/**
 * What we ask of a server that we have dialed: which namespaces it has, and which tracks it is offered. Namespaces come as
 * NAMESPACE, or in old drafts as requests of the server. Tracks come as its requests.
 * Spec: draft-ietf-moq-transport-18, "SUBSCRIBE_NAMESPACE", "SUBSCRIBE_TRACKS".
 *
 * @module
 */
import { sleep } from "../../../base/sleep.ts";
import { ConnectionClosed, StreamReset } from "../../../transport/errors.ts";
import { ProtocolViolation } from "../../../wire/errors.ts";
import type { Messages } from "../../../wire/ietf/dialect.ts";
import type { Namespace } from "../../../wire/ietf/names.ts";
import type { Exchange } from "../exchange.ts";
import { pathOf } from "../names.ts";
import type { Requesting } from "./requesting.ts";

/** How long to wait before the server is asked again that has given the request up, and how often that is tried. */
const REOPEN_MS = 1000;
const REOPEN_TIMES = 10;

/** Where namespaces go. */
export interface Heard {
  /** @returns false when it is refused. */
  add(namespace: Namespace): boolean;
  delete(namespace: Namespace): void;
}

/**
 * Asks for everything and follows it until the session ends. Tracks are wanted paused: each is read once somebody wants it.
 * Rejects on internal errors only.
 */
export async function follow(shared: Requesting, heard: Heard): Promise<void> {
  const { dialect } = shared.context;
  const paused = { forward: false };
  const tracks = dialect.has("subscribeTracks");
  await Promise.all([
    ask(shared, "subscribeNamespace", tracks ? {} : paused, heard),
    ...(tracks ? [ask(shared, "subscribeTracks", paused, heard)] : []),
  ]);
}

async function ask(
  shared: Requesting,
  kind: "subscribeNamespace" | "subscribeTracks",
  parameters: Messages["subscribeNamespace"]["parameters"],
  heard: Heard,
): Promise<void> {
  const { context: { clock, log }, exchanges } = shared;
  const wanted = kind === "subscribeTracks" ? "tracks" : "both";
  for (let times = 0; times < REOPEN_TIMES; times++) {
    const known = new Map<string, Namespace>();
    try {
      const exchange = await exchanges.open(kind, { prefix: [], wanted, parameters });
      await read(exchange, heard, known);
      for (const namespace of known.values()) heard.delete(namespace);
      return exchange.cancel();
    } catch (error) {
      // The session's end is told to all offers at once, with how it has ended.
      if (error instanceof ConnectionClosed || error instanceof ProtocolViolation) return;
      if (!(error instanceof StreamReset)) throw error;
      log.debug("the server has given it up, asking again", { kind });
      for (const namespace of known.values()) heard.delete(namespace);
    }
    await sleep(REOPEN_MS, undefined, clock);
  }
}

/** Reads until the server says no more. @throws {StreamReset} @throws {ConnectionClosed} @throws {ProtocolViolation} */
async function read(
  exchange: Exchange,
  heard: Heard,
  known: Map<string, Namespace>,
): Promise<void> {
  for (;;) {
    const message = await exchange.next();
    if (message === undefined || message.kind === "requestError") return;
    // The prefix is empty, so the suffix is all of the namespace.
    if (message.kind === "namespace") {
      const { suffix } = message.value;
      const key = pathOf(suffix);
      if (!known.has(key) && heard.add(suffix)) known.set(key, suffix);
    } else if (message.kind === "namespaceDone") {
      const { suffix } = message.value;
      if (known.delete(pathOf(suffix))) heard.delete(suffix);
    }
  }
}
