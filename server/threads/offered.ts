/**
 * What this node offers one neighbour: its own broadcasts, announced as they come and go, and their tracks when they are
 * asked for. Nothing that is itself a neighbour's is offered or served: every frame makes one step between threads at most.
 *
 * @module
 */
import { reasonOf } from "../../base/errors.ts";
import { NotFound, SourceLost } from "../../relay/errors.ts";
import type { Group, GroupCursor } from "../../relay/group/group.ts";
import type { Origin, Watch } from "../../relay/origin.ts";
import type { TrackEnd, TrackFailure, TrackReader, TrackRequest } from "../../relay/ports.ts";
import { NEIGHBOURS } from "../../relay/route.ts";
import type { Track } from "../../relay/track.ts";
import type { FromAsker, FromOwner, Send } from "./messages.ts";
import type { Mirrors } from "./mirrors.ts";

export class Offered {
  readonly #origin: Origin;
  readonly #mirrors: Mirrors;
  readonly #send: Send<FromOwner>;
  readonly #served = new Map<number, Served>();
  readonly #watch: Watch;
  readonly #stopArenas: () => void;

  constructor(origin: Origin, mirrors: Mirrors, send: Send<FromOwner>) {
    this.#origin = origin;
    this.#mirrors = mirrors;
    this.#send = send;
    this.#stopArenas = mirrors.onArena((pool, index, memory) =>
      send({ type: "arena", pool, index, memory })
    );
    this.#watch = origin.watch({ excludeHop: NEIGHBOURS, hidden: true }, ({ path, route }) => {
      if (route === undefined) return send({ type: "unannounce", path });
      const { hops, warm, cold, order } = route;
      send({ type: "announce", path, hops, warm, cold, order });
    });
  }

  receive(message: FromAsker): void {
    switch (message.type) {
      case "subscribe":
        return this.#subscribe(message);
      case "update":
        return this.#served.get(message.id)?.update(message.request);
      case "close":
        return this.#drop(message.id);
      case "trackInfo":
        return this.#answer(message, async () => {
          const { id, broadcast, track } = message;
          const found = this.#find(broadcast);
          const info = await found.trackInfo(broadcast, track, NEIGHBOURS);
          this.#send({ type: "info", id, info });
        });
      case "fetch":
        return this.#answer(message, async () => {
          const { id, broadcast, track, group, priority } = message;
          const request = { group, priority };
          const found = await this.#find(broadcast).fetch(broadcast, track, request, NEIGHBOURS);
          new FetchSender(found, id, this.#send);
        });
    }
  }

  /** The neighbour is gone. */
  close(): void {
    this.#watch.close();
    this.#stopArenas();
    for (const id of [...this.#served.keys()]) this.#drop(id);
  }

  #subscribe({ id, broadcast, track, request }: FromAsker & { type: "subscribe" }): void {
    const refuse = (why: TrackFailure, reason: string) =>
      this.#send({ type: "ended", id, end: { kind: "failed", why, reason } });
    let found;
    try {
      found = this.#origin.find(broadcast, NEIGHBOURS)?.track(broadcast, track, NEIGHBOURS);
    } catch (error) {
      return refuse("refused", reasonOf(error));
    }
    if (found === undefined) {
      return refuse("unroutable", `broadcast ${broadcast} is not announced here any more`);
    }
    const served = new Served(id, found, request, this.#send, () => this.#drop(id));
    this.#served.set(id, served);
    this.#send({ type: "ring", id, ...this.#mirrors.attach(found) });
    found.add(served);
  }

  #drop(id: number): void {
    const served = this.#served.get(id);
    if (served === undefined) return;
    this.#served.delete(id);
    served.track.remove(served);
    this.#mirrors.detach(served.track);
  }

  #find(broadcast: string) {
    const found = this.#origin.find(broadcast, NEIGHBOURS);
    if (found === undefined) throw new NotFound(`broadcast ${broadcast}`, "broadcast");
    return found;
  }

  /** Says why not, where it does not come to an answer. */
  #answer({ id }: { readonly id: number }, answer: () => Promise<void>): void {
    answer().catch((error: unknown) => {
      this.#send({ type: "refused", id, lost: error instanceof SourceLost });
    });
  }
}

/** A subscription of the neighbour: keeps the track fed, and says what is not to be seen in its ring. */
class Served implements TrackReader {
  readonly neighbour = true;
  #started = false;

  constructor(
    readonly id: number,
    readonly track: Track,
    public request: TrackRequest,
    readonly send: Send<FromOwner>,
    readonly onOver: () => void,
  ) {}

  update(request: TrackRequest): void {
    this.request = request;
    this.track.change(this, request);
  }

  onKnown(): void {
    this.send({ type: "known", id: this.id });
  }

  onGroup(_group: Group, start: number): void {
    if (this.#started) return;
    this.#started = true;
    this.send({ type: "started", id: this.id, group: start });
  }

  onDatagram(sequence: number, timestamp: number, view: Uint8Array): void {
    const payload = view.slice();
    const { id } = this;
    this.send({ type: "datagram", id, sequence, timestamp, payload }, payload.buffer);
  }

  onEnd(end: TrackEnd): void {
    // The mirror stays until the neighbour has read what it wants of it and says so.
    this.send({ type: "ended", id: this.id, end });
  }
}

/** Sends one group as it grows. */
class FetchSender implements GroupCursor {
  slot = -1;
  #sent = 0;
  #begun = false;

  /** @param group Retained for this sender. */
  constructor(readonly group: Group, readonly id: number, readonly send: Send<FromOwner>) {
    group.attach(this);
    group.release();
    this.pump();
  }

  pump(): void {
    const { group, id } = this;
    const before = this.#sent;
    while (this.#sent < group.bytes) {
      const bytes = new Uint8Array(group.slice(this.#sent));
      this.#sent += bytes.length;
      this.send({ type: "fetched", id, bytes, state: "open" }, bytes.buffer);
    }
    const { state } = group;
    if (state === "open" && (this.#begun || this.#sent > before)) return;
    this.#begun = true;
    this.send({ type: "fetched", id, bytes: new Uint8Array(0), state });
    if (state !== "open") group.detach(this);
  }
}
