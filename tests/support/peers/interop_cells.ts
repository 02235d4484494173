/**
 * The interop matrix: publisher × relay × subscriber × version × transport, each cell is a broadcast, from its announcement
 * to the comparison of its bytes.
 *
 * @module
 */
import { freePort, killed } from "../borrowed.ts";
import { reasonOf } from "../../../base/errors.ts";
import {
  type Content,
  type MatrixPeer,
  type MatrixRelay,
  type Transport,
  TRANSPORTS,
} from "./interop_peers.ts";
import { startRelay } from "../program.ts";

/** One combination, and its result. */
export interface Cell {
  readonly publisher: string;
  readonly relay: string;
  readonly subscriber: string;
  readonly version: string;
  readonly transport: Transport;
  readonly outcome: "pass" | "fail" | "skip";
  /** What came, why it failed, or why it was not tried. */
  readonly note: string;
  /** Why attempts before this one failed. */
  readonly before: readonly string[];
}

export interface MatrixOptions {
  readonly relays: readonly MatrixRelay[];
  readonly peers: readonly MatrixPeer[];
  readonly versions: readonly string[];
  /** All of them if absent. */
  readonly transports?: readonly Transport[];
  /** Cells that run at the same time. */
  readonly parallel: number;
  /** How often a cell that fails is tried; 1 if absent. The programs share a machine that may be busy. */
  readonly attempts?: number;
  readonly onCell?: (cell: Cell) => void;
}

/** Longest time of one cell, in milliseconds. */
const CELL_MS = 25_000;

/** Runs every cell. Never rejects for what a peer does. */
export async function runMatrix(options: MatrixOptions): Promise<Cell[]> {
  const { relays, peers, versions, transports = TRANSPORTS, parallel, attempts = 1, onCell } =
    options;
  const jobs: (() => Promise<Omit<Cell, "before">>)[] = [];
  for (const relay of relays) {
    for (const publisher of peers) {
      for (const subscriber of peers) {
        for (const version of versions) {
          for (const transport of transports) {
            jobs.push(() => runCell({ relay, publisher, subscriber, version, transport }));
          }
        }
      }
    }
  }
  const cells: Cell[] = new Array(jobs.length);
  let next = 0;
  const worker = async () => {
    while (next < jobs.length) {
      const index = next++;
      const before: string[] = [];
      let cell = await jobs[index]!();
      while (cell.outcome === "fail" && before.length + 1 < attempts) {
        before.push(cell.note);
        cell = await jobs[index]!();
      }
      cells[index] = { ...cell, before };
      onCell?.(cells[index]);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return cells;
}

interface Combination {
  readonly relay: MatrixRelay;
  readonly publisher: MatrixPeer;
  readonly subscriber: MatrixPeer;
  readonly version: string;
  readonly transport: Transport;
}

let count = 0;

async function runCell(combination: Combination): Promise<Omit<Cell, "before">> {
  const { relay, publisher, subscriber, version, transport } = combination;
  const cell = {
    publisher: publisher.name,
    relay: relay.name,
    subscriber: subscriber.name,
    version,
    transport,
  };
  const lacks = publisher.lacks(version) ?? subscriber.lacks(version);
  if (lacks !== undefined) return { ...cell, outcome: "skip", note: lacks };
  if (publisher.browser && subscriber.browser && transport !== "webtransport") {
    return { ...cell, outcome: "skip", note: "the browser comes by WebTransport here" };
  }
  const content: Content =
    [publisher, subscriber].every(({ contents }) => contents.includes("data")) ? "data" : "media";
  const over = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`nothing came within ${CELL_MS / 1000} s`);
    timer = setTimeout(() => reject(error), CELL_MS);
  });
  try {
    const path = `interop/${++count}.hang`;
    const site = { relay, transport, version, path, signal: over.signal };
    // The subscriber comes first, so that it sees the announcement and misses nothing.
    const received = subscriber.receive(site, content);
    received.catch(() => {}); // it may fail while the publisher begins
    const running = (async () => {
      await using _publication = await publisher.publish(site, content);
      return await received;
    })();
    running.catch(() => {}); // the time may be up before it fails
    return { ...cell, outcome: "pass", note: await Promise.race([running, late]) };
  } catch (error) {
    return {
      ...cell,
      outcome: "fail",
      note: reasonOf(error).split("\n")[0]!.replace(/^page\.evaluate: (Error: )?/, ""),
    };
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

/** This relay, as a program. */
export async function ourRelay(): Promise<MatrixRelay & AsyncDisposable> {
  const program = await startRelay();
  const { port, hash } = program;
  return {
    name: "qumo-relay",
    port,
    hash,
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** moq-dev's relay, open to everybody. */
export async function moqRelay(path: string): Promise<MatrixRelay & AsyncDisposable> {
  const port = freePort();
  const address = `127.0.0.1:${port}`;
  const child = new Deno.Command(path, {
    args: [
      ...["--listen", address, "--listen-tls-generate", "localhost,127.0.0.1"],
      ...["--web-http-listen", address, "--auth-public", "**"],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const dispose = async () => {
    await killed(child);
  };
  for (let tries = 0; tries < 100; tries++) {
    try {
      const hash = await (await fetch(`http://${address}/certificate.sha256`)).text();
      return { name: "moq-relay", port, hash: hash.trim(), [Symbol.asyncDispose]: dispose };
    } catch { // It does not listen yet.
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  await dispose();
  throw new Error("moq-relay did not begin to listen");
}
