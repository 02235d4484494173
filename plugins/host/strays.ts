/**
 * Failures that reach nobody: a promise that code let go, a timer of its that threw. They would end the process or the
 * thread; here they are counted, and put down to the plugin instance whose code it was, as far as that can be told. The
 * program watches from its start on in each thread, with plugins and without.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Logger } from "../../base/logger.ts";
import { safeReason } from "../errors.ts";

/** Who hears of stray failures of its code. */
export interface StrayOwner {
  /** Begins the addresses of its code in stack traces; absent for code that cannot be told apart. */
  readonly code?: string | undefined;
  stray(thrown: unknown): void;
}

/** Watches while it is used. One for a thread. */
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

  /** @param log Hears of failures that cannot be put down to one. */
  constructor(log: Logger) {
    this.#log = log;
    globalThis.addEventListener("unhandledrejection", this.#rejected);
    globalThis.addEventListener("error", this.#threw);
  }

  /** Runs code of an owner: what it starts and does not wait for is its own. */
  run<T>(owner: StrayOwner, work: () => T): T {
    this.#owners.add(owner);
    return this.#current.run(owner, work);
  }

  /** Its code has ended. What still comes from it is only logged. */
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
