/**
 * A player at a mesh: it subscribes whenever a broadcast is announced, and writes down what it sees.
 *
 * @module
 */
import type { Client } from "../../../client/client.ts";
import type { TrackProducer } from "../../../client/publish.ts";
import type { Subscription } from "../../../client/subscription.ts";
import type { Relay } from "../../../server/relay.ts";
import type { Version } from "../../../wire/versions.ts";
import type { Mesh } from "./mesh.ts";

export class Player {
  /** "active", "ended", and of each group its first frame. */
  readonly log: string[] = [];
  #active = false;
  #subscription: Subscription | undefined;

  constructor(readonly client: Client, readonly track = "video") {
    void this.#run();
  }

  get text(): string {
    return this.log.join(" ");
  }

  async #run(): Promise<void> {
    for await (const { active } of this.client.announced("room")) {
      if (active === this.#active) continue; // it comes by another route
      this.#active = active;
      this.log.push(active ? "active" : "ended");
      this.#subscription?.close();
      if (active) void this.#play().catch(() => {}); // it was lost: the next news tell how it goes on
    }
  }

  async #play(): Promise<void> {
    const subscription = this.#subscription = this.client.subscribe("room", this.track);
    for await (const group of subscription) {
      for await (const { payload } of group) {
        this.log.push(new TextDecoder().decode(payload));
        break;
      }
    }
  }
}

/** A player of each version at each node. */
export async function players(
  mesh: Mesh,
  at: readonly Relay[],
  versions: readonly Version[],
): Promise<Player[]> {
  const all: Player[] = [];
  for (const node of at) {
    for (const version of versions) all.push(new Player(await mesh.client(node, { version })));
  }
  await mesh.pass(500);
  return all;
}

/** Publishes groups of one frame, one each 200 ms. The frame is the group's number behind `mark`. */
export async function groups(
  mesh: Mesh,
  tracks: TrackProducer | readonly TrackProducer[],
  count: number,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    for (const track of [tracks].flat()) track.write(`${track.nextGroup}`);
    await mesh.pass(200, 50);
  }
}
