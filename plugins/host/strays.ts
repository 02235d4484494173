/**
 * Failures that reach nobody: a promise that rejects unhandled, a timer that throws. They would end the process or the
 * thread. Here they are counted and, where that can be told, put down to the plugin instance whose code failed. Every thread
 * watches for them from its start, with plugins and without.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Logger } from "../../base/logger.ts";
import { safeReason } from "../errors.ts";

/** Hears of stray failures of its code. */
export interface StrayOwner {
  /** What the addresses of its code begin with in stack traces; absent for code that cannot be told apart. */
  readonly code?: string | undefined;
  stray(thrown: unknown): void;
}

/** Watches until it is disposed of. One per thread. */
export class Strays implements Disposable {
  /** Failures since it began. */
  count = 0;
  readonly #current = new AsyncLocalStorage<StrayOwner>();
  readonly #owners = new Set<StrayOwner>();
  readonly #log: Logger;
  readonly #rejected = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    this.#tell(event.reason);
  };
  readonly #threw = (event: ErrorEvent) => {
    event.preventDefault();
    this.#tell(event.error);
  };

  /** @param log Gets the failures that have no owner. */
  constructor(log: Logger) {
    this.#log = log;
    globalThis.addEventListener("unhandledrejection", this.#rejected);
    globalThis.addEventListener("error", this.#threw);
  }

  /** Runs code of an owner. Whatever that starts belongs to the owner too. */
  run<T>(owner: StrayOwner, work: () => T): T {
    this.#owners.add(owner);
    return this.#current.run(owner, work);
  }

  /** The owner's code has ended: its later failures are only logged. */
  leave(owner: StrayOwner): void {
    this.#owners.delete(owner);
  }

  [Symbol.dispose](): void {
    globalThis.removeEventListener("unhandledrejection", this.#rejected);
    globalThis.removeEventListener("error", this.#threw);
  }

  #tell(thrown: unknown): void {
    this.count++;
    const owner = this.#current.getStore() ?? this.#byStack(thrown);
    if (owner !== undefined) owner.stray(thrown);
    else {
      this.#log.error("a failure reached nobody; the program goes on", {
        reason: safeReason(thrown),
        stack: thrown instanceof Error ? thrown.stack : undefined,
      });
    }
  }

  #byStack(thrown: unknown): StrayOwner | undefined {
    const stack = thrown instanceof Error ? String(thrown.stack) : "";
    const found = [...this.#owners].filter(({ code }) =>
      code !== undefined && stack.includes(code)
    );
    // Several instances of one module share its code.
    return found.length === 1 ? found[0] : undefined;
  }
}
