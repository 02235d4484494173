/** A relay in memory and plugins' clients at it. For tests only. */
import { systemClock } from "../../base/clock.ts";
import { type Logger, silent } from "../../base/logger.ts";
import { Client } from "../../client/mod.ts";
import { Relay } from "../../server/relay.ts";
import { memoryPair } from "../../transport/memory/memory.ts";
import type { Plugin, PluginContext, PluginStats } from "../../plugins/plugin.ts";
import type { MediaStore } from "../../storage/store.ts";

/** A relay in this process; closed when it goes out of scope. */
export class MemoryRelay implements AsyncDisposable {
  readonly relay = new Relay({ hop: 4711n, groupCacheSize: 64 });

  /** A client of its own, as each instance of a plugin gets. */
  async client(): Promise<Client> {
    const [near, far] = memoryPair({ protocol: "moq-lite-06" });
    void this.relay.accept(far);
    return await Client.over(near, { groupCacheSize: 64 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.relay.close();
  }
}

export function newStats(): PluginStats {
  return {
    ...{ framesIn: 0, bytesIn: 0, framesOut: 0, bytesOut: 0 },
    ...{ skipped: 0, errors: 0, notServed: 0, latencyMs: -1 },
  };
}

/** A plugin run once by hand. */
export interface PluginRun {
  readonly ctx: PluginContext;
  /** What it has told as its status, in order. */
  readonly told: (string | undefined)[];
  /** Settles with `run`. */
  readonly done: Promise<void>;
  /** Aborts, waits, stops. */
  end(): Promise<void>;
}

/** Does what the supervisor does with an instance, without restarting it. */
export async function runPlugin(
  plugin: Plugin,
  at: MemoryRelay,
  config: unknown,
  options: { readonly log?: Logger; readonly ctx?: Partial<PluginContext> } = {},
): Promise<PluginRun> {
  const over = new AbortController();
  const told: (string | undefined)[] = [];
  const client = await at.client();
  const ctx: PluginContext = {
    name: "test",
    log: options.log ?? silent,
    signal: over.signal,
    clock: systemClock,
    stats: newStats(),
    client,
    http: { route: () => ({ [Symbol.dispose]() {} }) },
    status: (text) => void told.push(text),
    recorded: () => {},
    mayRead: () => Promise.resolve(true),
    mayPublish: () => Promise.resolve(true),
    hold: () => Promise.resolve({ lost: new AbortController().signal, end() {} }),
    ...options.ctx,
  };
  await plugin.initialize?.(ctx, config);
  const done = plugin.run(ctx, undefined as unknown as MediaStore);
  done.catch(() => {}); // looked at by the test
  return {
    ctx,
    told,
    done,
    async end() {
      over.abort();
      await done.catch(() => {});
      await plugin.stop?.(ctx);
      await client.close();
    },
  };
}
