/** Serves broadcasts as low-latency HLS from the relay's own HTTP. */
import { z } from "zod";
import { duration, integer, notes, oneOf, size } from "../../../config/fields.ts";
import { readInto } from "../../../media/broadcast/read_into.ts";
import { eachBroadcast } from "../../live_set.ts";
import { sleep } from "../../../base/sleep.ts";
import type { LiveMedia } from "../../../media/broadcast/live_media.ts";
import type { OptionsOf } from "../../options.ts";
import { plugin, type PluginContext } from "../../plugin.ts";
import { broadcastPatterns } from "../options.ts";
import { HlsBroadcast } from "./broadcast.ts";
import { hlsRoute } from "./http.ts";
import { matcherOf } from "../../../wire/path_pattern.ts";

const MB = 1024 * 1024;
/** A broadcast without anything to read is tried again after this time. */
const AGAIN_MS = 1000;

const OPTIONS = {
  broadcasts: broadcastPatterns("Which broadcasts can be watched."),
  path: z.string().regex(/^(\/[A-Za-z0-9._~-]+)+$/).prefault("/hls")
    .describe("Where they are: `PATH/BROADCAST/master.m3u8` at the relay's HTTP.")
    .register(notes, { expects: "a path like /hls" }),
  mode: oneOf(
    ["on_demand", "always"],
    "on_demand",
    "`on_demand` reads a broadcast while somebody watches, `always` as long as it is live.",
  ),
  idle: duration(
    { min: "5s", max: "24h", byDefault: "30s" },
    "On demand: a broadcast nobody has asked for this long is read no more.",
  ),
  segment: duration(
    { min: "1s", max: "30s", byDefault: "2s" },
    "Segments end at the first keyframe about this far behind their first.",
  ),
  part: duration(
    { min: "100ms", max: "5s", byDefault: "500ms" },
    "Length of their parts; players stay about three of them behind.",
  ),
  window: duration(
    { min: "6s", max: "4h", byDefault: "30s" },
    "How far back the playlist reaches.",
  ),
  max_bytes: size(
    { min: MB, max: 16 * 1024 * MB, byDefault: 128 * MB },
    "What is kept of one broadcast at most; a window that is larger becomes shorter.",
  ),
  max_broadcasts: integer(
    { min: 1, max: 1000, byDefault: 64 },
    "How many broadcasts are read at the same time.",
  ),
  linger: duration(
    { min: "0s", max: "10m", byDefault: "10s" },
    "A broadcast that comes back within this time goes on; after it, players are told of the end.",
  ),
};
type Options = OptionsOf<typeof OPTIONS>;

export const hls = plugin({
  kind: "egress",
  name: "hls",
  summary: "Serves broadcasts as low-latency HLS.",
  options: OPTIONS,
  run: (ctx, options) => new Hls(ctx, options).run(),
});

/** A broadcast that is live, or was a moment ago. */
interface Served {
  hls: HlsBroadcast;
  live: boolean;
  /** Of the clock. */
  askedAtMs: number;
  reading: boolean;
  /** Wakes the broadcast when a player asks for it. */
  wake: () => void;
  cancelEnd: () => void;
}

class Hls {
  readonly #ctx: PluginContext;
  readonly #options: Options;
  readonly #served = new Map<string, Served>();

  constructor(ctx: PluginContext, options: Options) {
    this.#ctx = ctx;
    this.#options = options;
  }

  async run(): Promise<void> {
    const ctx = this.#ctx;
    const { broadcasts, path, segment, mode, maxBroadcasts } = this.#options;
    const { http } = ctx;
    using _route = http.route(
      path,
      hlsRoute({
        prefix: path,
        targetMs: segment,
        mayRead: (request, broadcast) => ctx.mayRead(request, broadcast),
        ask: (broadcast) => this.#ask(broadcast),
      }),
    );
    try {
      const set = {
        wanted: matcherOf(broadcasts),
        // On demand a broadcast costs nothing until a player asks.
        maxBroadcasts: mode === "always" ? maxBroadcasts : Infinity,
      };
      await eachBroadcast(ctx, set, async (live, signal) => {
        const served = this.#begin(live.path);
        const over = AbortSignal.any([signal, live.gone]);
        try {
          while (!over.aborted) await this.#serve(live, served, { signal, over });
        } finally {
          this.#gone(live.path, served);
        }
      });
    } finally {
      for (const served of this.#served.values()) {
        served.cancelEnd();
        served.hls.end();
      }
    }
  }

  #ask(broadcast: string): HlsBroadcast | "gone" | "full" {
    const served = this.#served.get(broadcast);
    if (served === undefined) return "gone";
    if (this.#options.mode === "on_demand" && !served.reading && served.live) {
      const reading = this.#served.values().filter((one) => one.reading).toArray().length;
      if (reading >= this.#options.maxBroadcasts) return "full";
      served.reading = true;
    }
    served.askedAtMs = this.#ctx.clock.now();
    served.wake();
    return served.hls;
  }

  #begin(path: string): Served {
    const served = this.#served.get(path) ?? this.#new();
    this.#served.set(path, served);
    served.cancelEnd();
    served.cancelEnd = () => {};
    served.hls.resume();
    served.live = true;
    return served;
  }

  #new(): Served {
    return {
      hls: this.#newHls(),
      live: false,
      askedAtMs: -Infinity,
      reading: false,
      wake() {},
      cancelEnd() {},
    };
  }

  #newHls(): HlsBroadcast {
    const { segment, part, window, maxBytes } = this.#options;
    const settings = { targetMs: segment, partMs: part, windowMs: window, maxBytes };
    return new HlsBroadcast(settings, this.#ctx);
  }

  /** Reads the broadcast while players ask for it. */
  async #serve(
    live: LiveMedia,
    served: Served,
    { signal, over }: { readonly signal: AbortSignal; readonly over: AbortSignal },
  ): Promise<void> {
    const onDemand = this.#options.mode === "on_demand";
    if (onDemand && !served.reading) {
      await new Promise<void>((resolve) => {
        served.wake = resolve;
        over.addEventListener("abort", () => resolve(), { once: true });
        if (over.aborted) resolve();
      });
      if (over.aborted) return;
    }
    served.reading = true;
    const idle = new AbortController();
    const cancel = onDemand ? this.#whenIdle(served, () => idle.abort()) : () => {};
    try {
      const until = AbortSignal.any([signal, idle.signal]);
      await readInto(
        live,
        { signal: until, stats: this.#ctx.stats },
        (renditions) => served.hls.begin(renditions),
      );
      if (!over.aborted && !idle.signal.aborted) await sleep(AGAIN_MS, over);
    } finally {
      cancel();
      if (idle.signal.aborted) {
        served.reading = false;
        served.hls.end();
        served.hls = this.#newHls();
      }
    }
  }

  #whenIdle(served: Served, done: () => void): () => void {
    const { idle } = this.#options;
    const { clock } = this.#ctx;
    let cancel = () => {};
    const look = () => {
      const leftMs = served.askedAtMs + idle - clock.now();
      if (leftMs <= 0) return done();
      cancel = clock.after(leftMs, look);
    };
    look();
    return () => cancel();
  }

  /** Broadcasts that have gone are at most as many as may be live. */
  #forgetOldest(): void {
    const gone = this.#served.entries().filter(([, { live, hls }]) =>
      !live && hls.timelines.size > 0
    ).toArray();
    for (const [path, served] of gone.slice(0, -this.#options.maxBroadcasts)) {
      served.cancelEnd();
      served.hls.end();
      this.#served.delete(path);
    }
  }

  /** If the broadcast does not come back, players are told of its end. They can still play the rest. */
  #gone(path: string, served: Served): void {
    const { linger, window } = this.#options;
    const { clock } = this.#ctx;
    served.live = false;
    served.reading = false;
    this.#forgetOldest();
    served.cancelEnd = clock.after(linger, () => {
      served.hls.end();
      served.cancelEnd = clock.after(window, () => {
        if (this.#served.get(path) === served) this.#served.delete(path);
      });
    });
  }
}
