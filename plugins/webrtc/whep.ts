/**
 * WHEP: answers the offers of viewers, and sends them a broadcast.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import type { PluginContext } from "../plugin.ts";
import { choose, type Chosen } from "./choice.ts";
import { WebRtcRefused } from "./errors.ts";
import { Offer } from "./offer.ts";
import { type PeerPlace, RtcPeer } from "./peer.ts";
import type { Opened } from "./resources.ts";
import { PacketSender } from "./viewer.ts";
import { WatchedBroadcast } from "./watched_broadcast.ts";
import type { Rendition } from "../../media/rendition.ts";

export interface WhepOptions extends PeerPlace {
  /** How long an offer waits for a broadcast that is not live, in milliseconds. */
  readonly waitMs: number;
  readonly timeoutMs: number;
  readonly iceTimeoutMs: number;
  readonly maxLatencyMs: number;
  /** Audio that is not Opus is transcoded to it. */
  readonly transcodes: boolean;
}

/** How long a viewer's offer waits for a broadcast's first catalog. */
const CATALOG_MS = 10_000;

/** The broadcasts that are watched, each once for all its viewers. */
export class Whep {
  readonly #ctx: PluginContext;
  readonly #options: WhepOptions;
  readonly #watched = new Map<string, Promise<WatchedBroadcast | undefined>>();

  constructor(ctx: PluginContext, options: WhepOptions) {
    this.#ctx = ctx;
    this.#options = options;
  }

  /** @throws {WebRtcRefused} */
  readonly open = async (path: string, sdp: string, query: URLSearchParams): Promise<Opened> => {
    const offer = Offer.read(sdp);
    const watched = await this.#watch(path);
    if (watched === undefined) {
      throw new WebRtcRefused(404, `There is no broadcast "${path}"`, { "retry-after": "5" });
    }
    const seat = watched.join();
    try {
      const peer = await this.#seat(watched, offer, query);
      peer.over.addEventListener("abort", () => seat.leave(), { once: true });
      if (peer.over.aborted) seat.leave();
      return { peer };
    } catch (error) {
      seat.leave();
      throw error;
    }
  };

  async #seat(watched: WatchedBroadcast, offer: Offer, query: URLSearchParams): Promise<RtcPeer> {
    const renditions = await this.#renditions(watched);
    const [video, audio] = [query.get("video"), query.get("audio")];
    const chosen = choose(offer, renditions, {
      transcodes: this.#options.transcodes,
      ...(video !== null && { video }),
      ...(audio !== null && { audio }),
    });
    const kept = {
      video: chosen.video === undefined ? [] : [chosen.video.codec],
      audio: chosen.audio === undefined ? [] : [chosen.audio.codec],
    };
    const types = (codecs: readonly { payloadType: number }[]) => codecs.map((c) => c.payloadType);
    const { clock } = this.#ctx;
    const peer = await RtcPeer.answer({
      ...this.#options,
      clock,
      sdp: offer.only({
        ...(chosen.video !== undefined && { video: types(kept.video) }),
        ...(chosen.audio !== undefined && { audio: types(kept.audio) }),
      }),
      codecs: {
        ...(chosen.video !== undefined && { video: kept.video }),
        ...(chosen.audio !== undefined && { audio: kept.audio }),
      },
      direction: "sendonly",
    });
    // The codecs are agreed on: after the end of its video a viewer needs another offer. Audio may end alone.
    const over = () => peer.close();
    if (chosen.video !== undefined) this.#send(watched, peer, chosen.video, over);
    if (chosen.audio !== undefined) {
      this.#send(watched, peer, chosen.audio, chosen.video === undefined ? over : () => {});
    }
    watched.over.addEventListener("abort", () => peer.close(), { once: true, signal: peer.over });
    if (watched.over.aborted) peer.close();
    return peer;
  }

  /** @throws {WebRtcRefused} 504: the broadcast is announced, but its catalog does not come. */
  async #renditions(watched: WatchedBroadcast): Promise<readonly Rendition[]> {
    const late = Promise.withResolvers<never>();
    const cancel = this.#ctx.clock.after(CATALOG_MS, () => {
      const why = `The catalog of "${watched.path}" has not come within ${CATALOG_MS / 1000} s`;
      late.reject(new WebRtcRefused(504, why, { "retry-after": "5" }));
    });
    try {
      return await Promise.race([watched.renditions(), late.promise]);
    } finally {
      cancel();
    }
  }

  #send(
    watched: WatchedBroadcast,
    peer: RtcPeer,
    { rendition }: Chosen<Rendition>,
    onend: () => void,
  ): void {
    const transceiver = peer.connection.getTransceivers().find((t) => t.kind === rendition.kind);
    if (transceiver === undefined) return;
    const { stats, clock } = this.#ctx;
    const packets = watched.packets(rendition);
    const sending = new PacketSender({
      packets,
      sender: transceiver.sender,
      stats,
      clock,
      wallMs: (timestampUs) => watched.wallMs(timestampUs),
      onend,
    });
    void peer.connected.then(() => sending.start());
    const leave = () => {
      sending.close();
      watched.leave(packets);
    };
    if (peer.over.aborted) leave();
    else peer.over.addEventListener("abort", leave, { once: true });
  }

  async #watch(path: string): Promise<WatchedBroadcast | undefined> {
    const found = this.#watched.get(path);
    if (found !== undefined) return await found;
    const opening = this.#find(path);
    this.#watched.set(path, opening);
    const forget = () => {
      if (this.#watched.get(path) === opening) this.#watched.delete(path);
    };
    try {
      const watched = await opening;
      if (watched === undefined || watched.over.aborted) forget();
      else watched.over.addEventListener("abort", forget, { once: true });
      return watched;
    } catch (error) {
      forget();
      this.#ctx.log.warn("a broadcast cannot be looked for", { reason: reasonOf(error) });
      return undefined;
    }
  }

  /** Finds a broadcast, and waits a moment for one that is not live yet. */
  async #find(path: string): Promise<WatchedBroadcast | undefined> {
    const { client, stats, log, signal, clock } = this.#ctx;
    const gone = new AbortController();
    const news = client.announced(path);
    signal.addEventListener("abort", () => news.close(), { once: true });
    const found = Promise.withResolvers<boolean>();
    const giveUp = clock.after(this.#options.waitMs, () => found.resolve(false));
    void (async () => {
      for await (const { path: at, active } of news) {
        if (at !== path) continue;
        if (active) found.resolve(true);
        else break;
      }
    })().catch(() => {}).finally(() => {
      found.resolve(false);
      gone.abort();
    });
    const live = await found.promise;
    giveUp();
    if (!live) {
      news.close();
      return undefined;
    }
    const { maxLatencyMs } = this.#options;
    const watched = new WatchedBroadcast(path, gone.signal, {
      client,
      clock,
      stats,
      log,
      maxLatencyMs,
    });
    watched.over.addEventListener("abort", () => news.close(), { once: true });
    return watched;
  }
}
