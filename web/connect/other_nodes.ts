/// <reference lib="dom" />
/**
 * The other nodes of the relay's cluster. The page asks for them while its own node answers, so that it knows where to go when
 * that node is gone, full or leaving.
 */
import type { Access } from "./access.ts";

/** How long a node may take to answer when somebody waits for it. */
const ANSWER_MS = 3000;

export class OtherNodes {
  readonly #access: Access;
  readonly #random: () => number;
  /** Origins, best first. */
  #known: readonly string[] = [];
  #moving: Promise<boolean> | undefined;

  constructor(access: Access, random: () => number = Math.random) {
    this.#access = access;
    this.#random = random;
  }

  /** Asks the present node for the nodes there are. What it does not tell stays as it was. Never rejects. */
  async learn(): Promise<readonly string[] | undefined> {
    const { origin, root } = this.#access;
    try {
      const query = new URLSearchParams({ path: root });
      const answer = await fetch(`${origin}/route?${query}`, {
        cache: "no-store",
        credentials: "omit",
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      const { nodes } = await answer.json() as { nodes: readonly { readonly url: string }[] };
      const told = nodes.flatMap(({ url }) => originOf(url, origin) ?? []);
      if (told.length > 0) this.#known = told;
      return told;
    } catch {
      return undefined;
    }
  }

  /**
   * Goes to another node, if the present one does not take us and another one does. Never rejects.
   * @returns Whether the access leads elsewhere now.
   */
  move(): Promise<boolean> {
    return this.#moving ??= this.#move().finally(() => this.#moving = undefined);
  }

  async #move(): Promise<boolean> {
    const { origin } = this.#access;
    const told = await this.learn();
    // The node names itself while it takes newcomers: what is wrong lies elsewhere.
    if (told?.includes(origin)) return false;
    const others = (told ?? this.#spread()).filter((one) => one !== origin);
    for (const other of others) {
      if (await this.#takesUs(other)) {
        this.#access.moveTo(other);
        return true;
      }
    }
    return false;
  }

  /** Viewers of a lost node go to the others alike. */
  #spread(): string[] {
    return this.#known.map((origin) => ({ origin, at: this.#random() }))
      .sort((a, b) => a.at - b.at).map(({ origin }) => origin);
  }

  async #takesUs(origin: string): Promise<boolean> {
    const silent = new Promise<"silent">((resolve) => {
      setTimeout(() => resolve("silent"), ANSWER_MS);
    });
    return await Promise.race([this.#access.at(origin).state(), silent]) === "ok";
  }
}

/** The origin of a node for this page: its host and port by the scheme that the page has. */
function originOf(url: string, own: string): string | undefined {
  const at = URL.parse(url);
  if (at === null || at.hostname === "") return undefined;
  const port = at.port || (at.protocol === "http:" || at.protocol === "ws:" ? "80" : "443");
  return URL.parse(`${new URL(own).protocol}//${at.hostname}:${port}`)?.origin;
}
