/**
 * Counts something, in all and per address.
 *
 * @module
 */
import { addressKey } from "./address_key.ts";

export class Headcount {
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  /** In all. */
  get total(): number {
    return this.#total;
  }

  /** The count of an address, "ip:port". */
  of(remoteAddress: string): number {
    return this.#byAddress.get(addressKey(remoteAddress)) ?? 0;
  }

  /** Counts one. @returns Call it at its end; later calls do nothing. */
  enter(remoteAddress: string): () => void {
    const key = addressKey(remoteAddress);
    this.#total++;
    this.#byAddress.set(key, (this.#byAddress.get(key) ?? 0) + 1);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#total--;
      const left = this.#byAddress.get(key)! - 1;
      if (left > 0) this.#byAddress.set(key, left);
      else this.#byAddress.delete(key);
    };
  }
}
