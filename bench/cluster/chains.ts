/**
 * The subjects: relays in a row, ours or moq-dev's, each linked with the next.
 *
 * @module
 */
import { chained, startCluster } from "../../tests/cluster/support/cluster.ts";
import { startMoqRelay } from "../../tests/cluster/support/moq_relay.ts";
import { optional } from "../../tests/support/optional.ts";
import { V8_FLAGS } from "../../tools/ship/v8_flags.ts";

export type ChainName = "qumo-relay" | "moq-relay";
/** Relays in the row. */
export type Length = 1 | 2 | 3;
export const LENGTHS: readonly Length[] = [1, 2, 3];

/** Running relays in a row. They end when it goes out of scope. */
export interface Chain extends AsyncDisposable {
  /** Where publishers connect. */
  readonly publishUrl: string;
  /** Where viewers connect: the other end. */
  readonly viewUrl: string;
  /** Process of the relay in the middle, or of the first. */
  readonly middlePid: number;
}

export interface ChainSubject {
  readonly name: ChainName;
  start(length: Length): Promise<Chain>;
}

const ours: ChainSubject = {
  name: "qumo-relay",
  async start(length) {
    const cluster = await startCluster(length, chained, [V8_FLAGS]);
    const nodes = [...cluster.nodes];
    await Promise.all(nodes.map((node) => node.ready()));
    return {
      publishUrl: nodes[0]!.url,
      viewUrl: nodes.at(-1)!.url,
      middlePid: nodes[nodes.length >> 1]!.pid,
      [Symbol.asyncDispose]: () => Promise.resolve(cluster[Symbol.asyncDispose]()),
    };
  },
};

const peer = (path: string): ChainSubject => ({
  name: "moq-relay",
  async start(length) {
    const relays: Awaited<ReturnType<typeof startMoqRelay>>[] = [];
    for (let i = 0; i < length; i++) {
      const next = relays[0];
      const connect = next === undefined ? [] : [next.url];
      relays.unshift(await startMoqRelay(path, { connect }));
    }
    return {
      publishUrl: relays[0]!.url,
      viewUrl: relays.at(-1)!.url,
      middlePid: relays[relays.length >> 1]!.pid,
      async [Symbol.asyncDispose]() {
        await Promise.all(relays.map((relay) => relay[Symbol.asyncDispose]()));
      },
    };
  },
});

/** Those that this machine has. */
export function chainSubjects(): ChainSubject[] {
  const { path } = optional("moq-relay");
  return path === undefined ? [ours] : [ours, peer(path)];
}
