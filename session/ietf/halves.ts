import { Publisher } from "./publisher/publisher.ts";
import type { Halves } from "./session.ts";
import { Subscriber } from "./subscriber/subscriber.ts";

/** The halves of every session of moq-transport. */
export const HALVES: Halves = {
  serving: (context, exchanges, self) => new Publisher(context, exchanges, self),
  consuming: (context, exchanges, label) => new Subscriber(context, exchanges, label),
};
