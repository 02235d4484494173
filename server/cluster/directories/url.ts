/** The nodes that an HTTP server lists: `cluster.nodes_url`. */
import { textWithin } from "../../../transport/text_within.ts";
import type { Logger } from "../../../base/logger.ts";
import type { NodeInfo } from "../node_info.ts";
import { Known } from "./known.ts";
import { BadNode, MAX_LIST_BYTES, nodesOfText } from "./node_text.ts";
import { PolledDirectory } from "./polled.ts";

export interface UrlDirectoryOptions {
  readonly url: string;
  readonly refreshMs: number;
  readonly log: Logger;
  /** How long an answer may take, with its body. Default 5,000. */
  readonly timeoutMs?: number;
}

export class UrlDirectory extends PolledDirectory {
  readonly #options: UrlDirectoryOptions;
  /** Of the last good answer. */
  #etag: string | undefined;

  constructor(options: UrlDirectoryOptions) {
    super(new Known("url", options.log), options.refreshMs);
    this.#options = options;
  }

  protected async look(signal: AbortSignal): Promise<readonly NodeInfo[] | undefined> {
    const { url, timeoutMs = 5000 } = this.#options;
    const answer = await fetch(url, {
      // Who may answer is the operator's choice: nobody else is asked.
      redirect: "manual",
      headers: {
        accept: "application/json, text/plain",
        ...(this.#etag === undefined ? {} : { "if-none-match": this.#etag }),
      },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    if (answer.status !== 200) {
      await answer.body?.cancel();
      if (answer.status === 304 && this.known.any) return undefined;
      throw new BadNode(`cluster.nodes_url answers ${answer.status}, 200 with a list is needed`);
    }
    const nodes = nodesOfText(await textWithin(answer, MAX_LIST_BYTES));
    this.#etag = answer.headers.get("etag") ?? undefined;
    return nodes;
  }
}
