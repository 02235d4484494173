/**
 * Keeps the instances of plugins as the configuration says: adds, changes and removes them while the relay runs.
 *
 * @module
 */
import { type InstancePorts, PluginInstance, type PluginSpec } from "./instance.ts";
import type { PluginRegistry } from "./registry.ts";
import type { PluginRoutes } from "./routes.ts";
import { Strays } from "./strays.ts";

/** What the supervisor needs from the server. */
export interface SupervisorPorts extends
  Pick<
    InstancePorts,
    "clock" | "log" | "connect" | "store" | "recorded" | "mayRead" | "mayPublish" | "hold"
  > {
  readonly registry: PluginRegistry;
  readonly routes: PluginRoutes;
  /** Catches failures that reach nobody. Default: one of its own, from the first instance on. */
  readonly strays?: Strays;
}

export class Supervisor {
  readonly #instances = new Map<string, PluginInstance>();
  readonly #ports: InstancePorts;
  #strays: Strays | undefined;
  #ownStrays: Strays | undefined;
  /** Names of the last {@link apply}: the next one removes no others. */
  #applied = new Set<string>();
  #stopped = false;

  constructor(ports: SupervisorPorts) {
    this.#strays = ports.strays;
    const { registry, routes, strays: _, ...given } = ports;
    this.#ports = {
      ...given,
      load: (reference) => registry.load(reference),
      http: (name, failed) => routes.of(name, failed),
      run: (owner, work) => this.#strays === undefined ? work() : this.#strays.run(owner, work),
      leave: (owner) => this.#strays?.leave(owner),
    };
  }

  /** Every instance, in the order in which they were added. */
  list(): readonly PluginInstance[] {
    return [...this.#instances.values()];
  }

  get(name: string): PluginInstance | undefined {
    return this.#instances.get(name);
  }

  /**
   * Makes the instances those of a configuration. Unchanged ones keep running, changed ones restart, removed ones stop.
   * Instances that {@link put} has added stay.
   * @returns Fulfils when all that had to stop have stopped. Never rejects.
   */
  async apply(specs: readonly PluginSpec[]): Promise<void> {
    const names = new Set(specs.map(({ name }) => name));
    const gone = [...this.#applied].filter((name) => !names.has(name));
    this.#applied = names;
    const ends = gone.map((name) => this.#remove(name));
    for (const spec of specs) {
      const now = this.#instances.get(spec.name);
      if (now === undefined || !same(now.spec, spec)) this.put(spec);
    }
    await Promise.all(ends);
  }

  /** Adds an instance, or restarts the one of that name with this configuration. */
  put(spec: PluginSpec): PluginInstance {
    this.#watch();
    const before = this.#instances.get(spec.name);
    const restarts = before === undefined ? 0 : before.status.restarts + 1;
    const instance = new PluginInstance(spec, this.#ports, restarts);
    this.#instances.set(spec.name, instance);
    if (!this.#stopped) instance.start(before?.stop());
    return instance;
  }

  /** Removes an instance. @returns Whether there was one; fulfils when it has stopped. */
  async remove(name: string): Promise<boolean> {
    this.#applied.delete(name);
    return await this.#remove(name);
  }

  /** Restarts an instance. @returns The new one; `undefined` when there is none of that name. */
  restart(name: string): PluginInstance | undefined {
    const instance = this.#instances.get(name);
    return instance && this.put(instance.spec);
  }

  /** Stops every instance. Fulfils within some seconds. Idempotent, never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.list().map((instance) => instance.stop()));
    this.#ownStrays?.[Symbol.dispose]();
    this.#strays = undefined;
  }

  /** From the first instance on, failures that reach nobody do not end the process. */
  #watch(): void {
    if (this.#stopped) return;
    this.#strays ??= this.#ownStrays = new Strays(this.#ports.log);
  }

  async #remove(name: string): Promise<boolean> {
    const instance = this.#instances.get(name);
    this.#instances.delete(name);
    await instance?.stop();
    return instance !== undefined;
  }
}

/** Whether two specs ask for the same. The order of keys does not count. */
function same(a: PluginSpec, b: PluginSpec): boolean {
  const picked = ({ kind, plugin, module, enabled, options }: PluginSpec) =>
    canonical({ kind, plugin, module, enabled, options });
  return picked(a) === picked(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(
    value,
    (_, part) =>
      typeof part === "object" && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => a < b ? -1 : 1))
        : part,
  ) ?? "";
}
