/**
 * The hooks of a server. They run in the main thread, whose origin knows every broadcast, and hear of the events of all
 * threads.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import type { Logger } from "../../base/logger.ts";
import type { HookConfig, HookEventName } from "../../config/hook_list.ts";
import type { HookNumbers } from "../../metrics/snapshot.ts";
import type { RecordingDone } from "../../plugins/plugin.ts";
import type { Watch } from "../../relay/origin.ts";
import type { Relay } from "../relay.ts";
import { viewedBroadcasts } from "../viewed.ts";
import { command } from "./command.ts";
import type { HookEvent } from "./event.ts";
import { Hook } from "./hook.ts";
import { ViewerWatch } from "./viewers.ts";
import { webhook } from "./webhook.ts";

/** How often viewers are counted, while a hook wants to hear of them. */
const LOOK_MS = 500;
/** How long waiting events have at the end. */
const CLOSE_MS = 2000;

export interface HooksOptions {
  readonly relay: Relay;
  /** Asks the other threads. Absent where there are none. */
  readonly others:
    | { ask(question: { readonly about: "viewed" }): Promise<string[][]> }
    | undefined;
  readonly log: Logger;
}

interface Entry {
  readonly hook: Hook;
  readonly viewers: ViewerWatch;
}

/** Its owner closes it. */
export class Hooks {
  readonly #options: HooksOptions;
  #entries: readonly Entry[] = [];
  #watch: Watch | undefined;
  #cancelLook: (() => void) | undefined;
  #looking = false;
  #closed = false;

  constructor(options: HooksOptions) {
    this.#options = options;
  }

  /** In the order of the configuration. */
  list(): readonly Hook[] {
    return this.#entries.map(({ hook }) => hook);
  }

  /** The numbers of each, for the metrics. */
  numbers(): HookNumbers[] {
    return this.list().map(({ config, stats, waiting }) => ({
      name: config.name,
      ...stats,
      waiting,
    }));
  }

  /**
   * Takes the hooks of a configuration. A hook that is the same goes on. One that differs begins anew, and its waiting events
   * are still sent. A new hook does not hear of earlier events.
   */
  apply(configs: readonly HookConfig[]): void {
    const before = new Set(this.#entries);
    this.#entries = configs.map((config) => {
      const same = [...before].find(({ hook }) => isDeepStrictEqual(hook.config, config));
      if (same === undefined) return this.#start(config);
      before.delete(same);
      return same;
    });
    for (const { hook } of before) void hook.close(CLOSE_MS);
    if (this.#entries.length > 0) this.#begin();
    else this.#end();
    this.#lookLater();
  }

  /** A plugin has finished a recording. */
  recorded(plugin: string, recording: RecordingDone): void {
    this.#tell("recording_done", recording.broadcast, { recording: { ...recording, plugin } });
  }

  /** Sends waiting events for a moment, then ends what runs. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#end();
    await Promise.all(this.list().map((hook) => hook.close(CLOSE_MS)));
  }

  #start(config: HookConfig): Entry {
    const { relay: { context: { clock } }, log } = this.#options;
    const its = log.with({ hook: config.name });
    const deliver = config.url === undefined ? command(config, its) : webhook(config, clock);
    return {
      hook: new Hook(config, { clock, log: its, deliver }),
      viewers: new ViewerWatch(config.viewerLingerMs),
    };
  }

  #begin(): void {
    if (this.#watch !== undefined || this.#closed) return;
    let telling = false; // what is there already is no event
    this.#watch = this.#options.relay.origin.watch({}, ({ kind, path }) => {
      if (!telling || kind === "updated") return;
      this.#tell(kind === "active" ? "publish" : "unpublish", path);
    });
    telling = true;
  }

  #end(): void {
    this.#watch?.close();
    this.#watch = undefined;
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  #lookLater(): void {
    const wanted = this.#entries.some(({ hook: { config: { events } } }) =>
      events.includes("first_viewer") || events.includes("last_viewer")
    );
    this.#cancelLook?.();
    if (!wanted || this.#looking || this.#closed) return;
    const { clock } = this.#options.relay.context;
    this.#cancelLook = clock.after(LOOK_MS, () => void this.#look());
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { relay, others, log } = this.#options;
    this.#looking = true;
    try {
      const elsewhere = await others?.ask({ about: "viewed" }) ?? [];
      const watched = new Set([...viewedBroadcasts(relay), ...elsewhere.flat()]);
      const now = relay.context.clock.now();
      for (const { hook, viewers } of this.#entries) {
        for (const { event, broadcast } of viewers.look(watched, now)) {
          if (!hook.wants({ event, broadcast })) continue;
          hook.tell(this.#event(event, broadcast));
        }
      }
    } catch (error) {
      log.warn("viewers could not be counted for hooks", { reason: String(error) });
    } finally {
      this.#looking = false;
      this.#lookLater();
    }
  }

  /** Tells all hooks that want it the same event. */
  #tell(name: HookEventName, broadcast: string, more: Pick<HookEvent, "recording"> = {}): void {
    const event = this.#event(name, broadcast, more);
    for (const { hook } of this.#entries) if (hook.wants(event)) hook.tell(event);
  }

  #event(
    event: HookEventName,
    broadcast: string,
    more: Pick<HookEvent, "recording"> = {},
  ): HookEvent {
    const { relay } = this.#options;
    return {
      id: crypto.randomUUID(),
      event,
      broadcast,
      at: new Date(relay.context.clock.wallMs()).toISOString(),
      relay: relay.hop.toString(),
      ...more,
    };
  }
}
