/**
 * Certificates for further host names, over TCP. A client gets the certificate of the name it asks for. QUIC has one
 * certificate.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { type Certificate, checkPair, readPem } from "../../config/tls/pem_pair.ts";

/** How often the files are read. */
const LOOK_MS = 5000;

export interface FurtherOptions {
  /** Entries of `server.certificates`: two files each, with a space between. Called at each read. */
  readonly pairs: () => readonly string[];
  /** Gets all certificates, at the start and after each change. */
  readonly onChange: (certificates: readonly Certificate[]) => void;
  readonly log: Logger;
}

/** Watches the files. Its owner closes it. */
export class FurtherCertificates {
  readonly #options: FurtherOptions;
  /** The last good pair, by entry. */
  #known = new Map<string, Certificate>();
  /** The problem of an entry; it is logged once. */
  readonly #told = new Map<string, string>();
  readonly #timer: ReturnType<typeof setInterval>;
  #looking: Promise<void> | undefined;

  constructor(options: FurtherOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
    Deno.unrefTimer(this.#timer);
  }

  /** Reads the files. Never rejects: a bad pair is logged, and the one in use stays. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => this.#looking = undefined);
    return this.#looking;
  }
  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const next = new Map<string, Certificate>();
    for (const pair of this.#options.pairs()) {
      const before = this.#known.get(pair);
      const read = await this.#read(pair) ?? before;
      if (read !== undefined) next.set(pair, read);
    }
    const same = next.size === this.#known.size &&
      [...next].every(([pair, { cert, key }]) => {
        const before = this.#known.get(pair);
        return before?.cert === cert && before.key === key;
      });
    this.#known = next;
    if (!same) this.#options.onChange([...next.values()]);
  }
  async #read(pair: string): Promise<Certificate | undefined> {
    const [cert = "", key = ""] = pair.split(" ");
    try {
      const read = await checkPair(await readPem(cert), await readPem(key), { now: Date.now() });
      this.#told.delete(pair);
      return read;
    } catch (error) {
      const reason = reasonOf(error);
      if (this.#told.get(pair) !== reason) {
        this.#options.log.error("cannot use a certificate of server.certificates", {
          pair,
          reason,
        });
      }
      this.#told.set(pair, reason);
      return undefined;
    }
  }
}
