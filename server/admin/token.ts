/**
 * The token of the admin interface.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { QumoError, reasonOf } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { ADMIN_TOKEN_HINT, isAdminToken } from "../../config/cross_checks.ts";
import type { Config } from "../../config/schema.ts";

/** `admin.token_file` cannot be read, or holds no token. */
export class AdminTokenUnusable extends QumoError {
  readonly code = "QUMO_ADMIN_TOKEN_UNUSABLE";
}

export class AdminToken {
  readonly #file: string | undefined;
  readonly #log: Logger;
  #digest: Uint8Array | undefined;
  /** The log says already that the file cannot be used. */
  #complained = false;

  constructor({ token, tokenFile }: Pick<Config["admin"], "token" | "tokenFile">, log: Logger) {
    this.#file = tokenFile;
    this.#log = log;
    if (token !== undefined) this.#digest = digestOf(token);
  }

  /** Whether requests have to show a token. */
  get isSet(): boolean {
    return this.#file !== undefined || this.#digest !== undefined;
  }

  /** Reads the file, if there is one. @throws {AdminTokenUnusable} */
  async prepare(): Promise<void> {
    if (this.#file !== undefined) this.#digest = await read(this.#file);
  }

  /** Whether `given` is the token. Takes the same time however much of it is right. */
  async matches(given: string): Promise<boolean> {
    await this.#refresh();
    return this.#digest !== undefined && timingSafeEqual(digestOf(given), this.#digest);
  }

  /** Reads the file again: requests are rare. While it cannot be read, the last token holds. */
  async #refresh(): Promise<void> {
    if (this.#file === undefined) return;
    try {
      this.#digest = await read(this.#file);
      this.#complained = false;
    } catch (error) {
      if (this.#complained) return;
      this.#complained = true;
      this.#log.warn(`${reasonOf(error)}; the token read last stays`);
    }
  }
}

/** Has the same length for every token. */
const digestOf = (token: string): Uint8Array => createHash("sha256").update(token).digest();

async function read(file: string): Promise<Uint8Array> {
  let text: string;
  try {
    text = (await Deno.readTextFile(file)).trim();
  } catch (cause) {
    throw new AdminTokenUnusable(`Cannot read admin.token_file ${file}: ${reasonOf(cause)}`, {
      cause,
    });
  }
  if (isAdminToken(text)) return digestOf(text);
  throw new AdminTokenUnusable(`Cannot use admin.token_file ${file}: ${ADMIN_TOKEN_HINT}`);
}
