/**
 * One broadcast for all its WHEP viewers, with one subscription to its catalog and to each rendition that is watched.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { reasonOf } from "../../base/errors.ts";
import type { Client } from "../../client/mod.ts";
import { LiveMedia } from "../../media/broadcast/live_media.ts";
import type { PluginStats } from "../plugin.ts";
import { isPlainOpus } from "./choice.ts";
import { familyOf } from "../../media/codec/family.ts";
import { PacketTrack } from "./packet_track.ts";
import { opusOf } from "./rtp/opus.ts";
import type { Rendition } from "../../media/rendition.ts";

export interface WatchedOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly stats: PluginStats;
  readonly log: Logger;
  /** How long a missing group is waited for while newer ones are there, in milliseconds. */
  readonly maxLatencyMs: number;
}

interface Running {
  readonly packets: PacketTrack;
  rendition: Rendition;
  /** Ends the reading of the rendition. */
  stop: AbortController;
}

/** Live media of one path, from the first viewer to the last. */
export class WatchedBroadcast {
  readonly path: string;
  /** Aborts when it is over: the broadcast is gone, or the last viewer is. */
  readonly over: AbortSignal;
  readonly #options: WatchedOptions;
  readonly #media: LiveMedia;
  readonly #over = new AbortController();
  readonly #running = new Map<string, Running>();
  readonly #first = Promise.withResolvers<void>();
  #renditions: readonly Rendition[] = [];
  #viewers = 0;
  #zeroMs: number | undefined;

  /** @param gone Aborts when the broadcast is no longer announced. */
  constructor(path: string, gone: AbortSignal, options: WatchedOptions) {
    this.path = path;
    this.#options = options;
    this.over = this.#over.signal;
    this.#media = new LiveMedia(options.client, path, {
      signal: AbortSignal.any([gone, this.over]),
      log: options.log,
    });
    gone.addEventListener("abort", () => this.#end(), { once: true, signal: this.over });
    this.#first.promise.catch(() => {});
    void this.#follow();
  }

  /** The renditions of the newest catalog; waits for the first. Empty when it is over before that. */
  async renditions(): Promise<readonly Rendition[]> {
    await this.#first.promise;
    return this.#renditions;
  }

  /** The wall time of a moment of the broadcast, the same for all its tracks. */
  wallMs(timestampUs: number): number {
    this.#zeroMs ??= this.#options.clock.wallMs() - timestampUs / 1000;
    return this.#zeroMs + timestampUs / 1000;
  }

  /** Keeps it open until `leave`. */
  join(): { leave(): void } {
    this.#viewers++;
    let joined = true;
    return {
      leave: () => {
        if (!joined) return;
        joined = false;
        if (--this.#viewers === 0) this.#end();
      },
    };
  }

  /** The packets of a rendition. It is read from the relay while somebody reads them here. */
  packets(rendition: Rendition): PacketTrack {
    const { name, kind } = rendition;
    const found = this.#running.get(name);
    if (found !== undefined) return found.packets;
    const packets = new PacketTrack({
      kind,
      stats: this.#options.stats,
      reordered: () => this.#warnOfReordering(name),
    });
    const running = { packets, rendition, stop: new AbortController() };
    this.#running.set(name, running);
    void this.#run(running);
    return packets;
  }

  /** A viewer has stopped reading these packets. */
  leave(packets: PacketTrack): void {
    if (packets.readers > 0) return;
    for (const [name, running] of this.#running) {
      if (running.packets !== packets) continue;
      this.#running.delete(name);
      running.stop.abort();
    }
  }

  async #follow(): Promise<void> {
    try {
      for await (const renditions of this.#media.catalogs({ signal: this.over })) {
        this.#renditions = renditions;
        this.#first.resolve();
        for (const running of this.#running.values()) this.#update(running);
      }
    } catch (error) {
      this.#options.stats.errors++;
      this.#options.log.warn("a broadcast cannot be read", { reason: reasonOf(error) });
    }
    this.#first.resolve();
    this.#end();
  }

  /** After a change of the catalog: continues with the same rendition, or with one that viewers can take in its place. */
  #update(running: Running): void {
    const { rendition: before } = running;
    const same = this.#renditions.find((r) => r.name === before.name && packetizesAlike(r, before));
    if (same !== undefined) return;
    const family = familyOf(before.codec);
    const next = this.#renditions.find((r) =>
      r.kind === before.kind && familyOf(r.codec) === family
    );
    if (next === undefined) {
      // Viewers negotiated a codec. For another they need a new session.
      this.#options.log.info("a rendition has gone", { broadcast: this.path, track: before.name });
      running.packets.end();
      running.stop.abort();
      return;
    }
    running.rendition = next;
    running.stop.abort();
  }

  async #run(running: Running): Promise<void> {
    const { packets } = running;
    for (;;) {
      const { rendition } = running;
      const stop = running.stop = new AbortController();
      try {
        const opus = rendition.kind === "audio" ? { ...rendition, codec: "opus" } : undefined;
        await packets.pass(opus ?? rendition, this.#frames(rendition, stop.signal));
      } catch (error) {
        this.#options.stats.errors++;
        this.#options.log.warn("a rendition cannot be sent", {
          broadcast: this.path,
          track: rendition.name,
          reason: reasonOf(error),
        });
        break;
      }
      if (running.rendition === rendition || this.over.aborted) break;
    }
    packets.end();
    for (const [name, other] of this.#running) if (other === running) this.#running.delete(name);
  }

  #frames(rendition: Rendition, signal: AbortSignal) {
    const { maxLatencyMs, stats } = this.#options;
    const over = AbortSignal.any([signal, this.over]);
    const frames = this.#media.frames(rendition, {
      signal: over,
      maxLatencyMs,
      onskipped: (count) => void (stats.skipped += count),
    });
    return rendition.kind === "video" || isPlainOpus(rendition)
      ? frames
      : opusOf(rendition, frames, over);
  }

  #warnOfReordering(track: string): void {
    this.#options.log.warn(
      "frames come in another order than they are shown; browsers will stutter",
      {
        broadcast: this.path,
        track,
        hint: "encode without B-frames (ffmpeg: -bf 0, or -tune zerolatency)",
      },
    );
  }

  #end(): void {
    if (this.over.aborted) return;
    this.#over.abort();
    this.#first.resolve();
    for (const { packets } of this.#running.values()) packets.end();
  }
}

/** Whether the packets of one rendition can follow those of the other. */
function packetizesAlike(one: Rendition, other: Rendition): boolean {
  const fields = (r: Rendition) => [r.kind, r.codec, r.container, r.description, r.init];
  return String(fields(one)) === String(fields(other));
}
