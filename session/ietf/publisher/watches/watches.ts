/**
 * What the peer watches: namespaces, offered tracks, or both below one prefix.
 * Spec: draft-ietf-moq-transport-18, "Subscribing to Namespaces".
 *
 * @module
 */
import { sameBytes } from "../../../../base/bytes.ts";
import type { Namespace } from "../../../../wire/ietf/names.ts";
import type { SubscribeNamespace } from "../../../../wire/ietf/message/namespaces.ts";
import type { Exchange } from "../../exchange.ts";
import type { Granted } from "../../request_rights.ts";
import { announceNamespaces, tellNamespaces } from "./namespaces.ts";
import { offerTracks } from "./offers.ts";
import type { Serving } from "../serving.ts";
import { hasConditions, nextOf, NO_CONDITIONS } from "../updates.ts";

/** Most such requests of one session. */
const MAX_WATCHES = 64;

interface Watch {
  readonly kind: string;
  readonly prefix: Namespace;
}

export class Watches {
  readonly #serving: Serving;
  readonly #running = new Set<Watch>();
  /** What ends each of them. */
  readonly #stops = new Set<() => void>();

  constructor(serving: Serving) {
    this.#serving = serving;
  }

  /** Serves one such request until the peer takes it back. */
  async serve(exchange: Exchange, asked: SubscribeNamespace, by?: Granted): Promise<void> {
    const { log, quota } = this.#serving.context;
    const { prefix } = asked;
    const { kind } = exchange.request;
    if (hasConditions(asked.parameters)) return exchange.refuse("invalidFilter", NO_CONDITIONS);
    const overlaps = () =>
      [...this.#running].some((one) =>
        one.kind === kind && (isPrefix(one.prefix, prefix) || isPrefix(prefix, one.prefix))
      );
    const { vacancies } = this.#serving;
    if (overlaps()) await vacancies.wait(() => !overlaps());
    if (overlaps()) {
      log.debug("watch refused: it overlaps with another", { kind });
      return exchange.refuse("prefixOverlap", "another request of this session covers the prefix");
    }
    if (this.#running.size >= MAX_WATCHES) {
      quota.hits.announceStreams++;
      return exchange.refuse("overloaded", "too many such requests");
    }
    const watch: Watch = { kind, prefix };
    this.#running.add(watch);
    try {
      for (let wait = quota.settled(); wait !== undefined; wait = quota.settled()) await wait;
      await this.#run(exchange, asked, by);
    } finally {
      this.#running.delete(watch);
      vacancies.changed();
    }
  }

  /** Announces everything to a server. */
  announce(): void {
    this.#stops.add(announceNamespaces(this.#serving));
  }

  /** Nothing more is told. */
  close(): void {
    for (const stop of [...this.#stops]) stop();
  }

  async #run(
    exchange: Exchange,
    { prefix, wanted, parameters }: SubscribeNamespace,
    by: Granted | undefined,
  ): Promise<void> {
    exchange.send("requestOk", { parameters: {}, properties: new Uint8Array(0) });
    const serving = this.#serving;
    const ends: (() => void)[] = [];
    if (wanted !== "tracks") ends.push(tellNamespaces(serving, exchange, prefix, by));
    if (wanted !== "namespaces") {
      ends.push(offerTracks(serving, exchange, prefix, parameters, by));
    }
    let isOver = false;
    const stop = () => {
      isOver = true;
      this.#stops.delete(stop);
      for (const end of ends.splice(0)) end();
      exchange.finish();
    };
    this.#stops.add(stop);
    const lost = Promise.withResolvers<void>();
    by?.onLost(() => {
      stop();
      lost.resolve();
    });
    const followed = async () => {
      for (;;) {
        const said = await nextOf(exchange);
        if (said === undefined || isOver) return;
        if (said.kind !== "update") continue;
        // A new prefix would give every suffix another meaning.
        if (said.value.parameters.prefix !== undefined) {
          return exchange.refuseUpdate(said.value, "notSupported", "the prefix cannot change");
        }
        const problem = by && await by.update(said.value.parameters);
        if (problem !== undefined) {
          return exchange.refuseUpdate(said.value, problem.word, problem.reason);
        }
        exchange.acceptUpdate(said.value);
      }
    };
    try {
      // One race for all of them: each would leave something behind in the promise that outlives it.
      await Promise.race([followed(), lost.promise]);
    } finally {
      stop();
    }
  }
}

/** Whether a namespace begins with another one. */
function isPrefix(prefix: Namespace, whole: Namespace): boolean {
  return prefix.length <= whole.length && prefix.every((field, i) => sameBytes(field, whole[i]!));
}
