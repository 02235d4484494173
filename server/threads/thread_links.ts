/**
 * The links of one node with all others. Each pair of nodes has a channel of its own. So no node passes messages on, and no
 * message can go in a circle.
 *
 * @module
 */
import type { Logger } from "../../base/logger.ts";
import type { Origin } from "../../relay/origin.ts";
import { Mailbox } from "./mailbox.ts";
import type { FromAsker, FromOwner, LinkMessage } from "./messages.ts";
import { Mirrors } from "./mirrors.ts";
import { Sibling } from "./sibling.ts";
import { Offered } from "./offered.ts";

interface LinkEnds {
  readonly mailbox: Mailbox<LinkMessage>;
  readonly sibling: Sibling;
  readonly offered: Offered;
}

export class ThreadLinks {
  readonly #origin: Origin;
  readonly #log: Logger;
  readonly #mirrors = new Mirrors();
  readonly #links = new Map<number, LinkEnds>();

  constructor(origin: Origin, log: Logger) {
    this.#origin = origin;
    this.#log = log;
  }

  /** Node `index` is at the other end of this port. It replaces an older one with that index. */
  join(index: number, port: MessagePort): void {
    this.leave(index, true);
    const mailbox: Mailbox<LinkMessage> = new Mailbox(port, (message) => {
      if (isFromAsker(message)) offered.receive(message);
      else sibling.receive(message);
    });
    const send = mailbox.send.bind(mailbox);
    const sibling = new Sibling(`worker ${index}`, this.#origin, send, this.#log);
    const offered = new Offered(this.#origin, this.#mirrors, send);
    this.#links.set(index, { mailbox, sibling, offered });
  }

  /** Node `index` is gone. @param abrupt Without a word: then its broadcasts linger. */
  leave(index: number, abrupt: boolean): void {
    const link = this.#links.get(index);
    if (link === undefined) return;
    this.#links.delete(index);
    link.offered.close();
    link.sibling.lost(abrupt);
    link.mailbox.close();
  }

  /** Ends all links. */
  close(): void {
    for (const index of [...this.#links.keys()]) this.leave(index, false);
  }
}

const ASKS: Readonly<Record<FromAsker["type"], true>> = {
  subscribe: true,
  update: true,
  close: true,
  trackInfo: true,
  fetch: true,
};

function isFromAsker(message: FromAsker | FromOwner): message is FromAsker {
  return Object.hasOwn(ASKS, message.type);
}
