/**
 * The beginning of the group that runs when a subscription begins, or goes on after a pause. What comes by subscription starts
 * inside of it then, so its head is fetched, once: everybody gets the group from its first object. The streams wait for it, and go on behind it. If the
 * peer does not answer, the group stays without its head.
 *
 * @module
 */
import type { GroupWriter } from "../../../relay/group/group_writer.ts";
import type { SubgroupHead } from "../../../relay/group/subgroup_head.ts";
import type { GroupSink, Location, TrackSink } from "../../../relay/ports.ts";
import type { FullName } from "../../../wire/ietf/names.ts";
import type { HeadWriter } from "../../convert/head_writer.ts";
import { GroupFetch } from "./group_fetch.ts";
import type { Requesting } from "./requesting.ts";

/** How long streams wait for the first object of the head. Objects pile up at the peer meanwhile. */
const BEGIN_MS = 500;

export class HeadFill implements GroupSink {
  readonly #fetch: GroupFetch;
  readonly #name: FullName;
  readonly #sink: Pick<TrackSink, "openGroup">;
  readonly #ready = Promise.withResolvers<void>();
  /** Subgroups that have begun here and nobody has gone on with, and those that streams wait for. */
  readonly #begun = new Map<number, GroupWriter>();
  readonly #awaited = new Set<number>();
  #asked = false;
  #closed = false;

  /** @param largest The largest object when the subscription began. */
  constructor(
    shared: Requesting,
    name: FullName,
    label: string,
    readonly largest: Location,
    sink: Pick<TrackSink, "openGroup">,
  ) {
    this.#name = name;
    this.#sink = sink;
    const { group, object } = largest;
    const what = `the head of group ${group} of track ${label}`;
    this.#fetch = new GroupFetch(
      shared,
      { group, endObject: object, beginMs: BEGIN_MS },
      this,
      what,
    );
  }

  /** Fetches the head, if that was not begun yet. */
  start(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#fetch.run(this.#name).catch(() => {}); // `ended` is called then
  }

  /**
   * A stream begins inside the group. Waits until the head is here, or does not come.
   * @returns What the stream goes on with, if anything of its subgroup came.
   */
  async before(subgroup: number): Promise<HeadWriter | undefined> {
    if (this.#closed) return undefined;
    this.#awaited.add(subgroup);
    this.start();
    await this.#ready.promise;
    if (!this.#begun.delete(subgroup)) return undefined;
    return this.#fetch.objects.take(subgroup);
  }

  open(head?: SubgroupHead, startObject?: number): GroupWriter | undefined {
    const writer = this.#sink.openGroup(this.largest.group, startObject, head);
    if (writer !== undefined) this.#begun.set(head!.id, writer);
    return writer;
  }

  ended(complete: boolean): void {
    if (!complete) {
      for (const writer of this.#begun.values()) writer.cut();
      this.#begun.clear();
    }
    this.#asked = true;
    this.#ready.resolve();
    if (this.#closed) this.close((writer) => writer.finish());
  }

  /**
   * No further stream of the group begins.
   * @param leave Ends what nobody goes on with.
   * @returns Whether nothing is left to do.
   */
  close(leave: (writer: GroupWriter) => void): boolean {
    this.#closed = true;
    if (this.#fetch.isRunning) return false;
    for (const [id, writer] of this.#begun) {
      if (this.#awaited.has(id)) continue;
      this.#begun.delete(id);
      leave(writer);
    }
    return this.#begun.size === 0;
  }

  /** The track is over. */
  drop(leave: (writer: GroupWriter) => void): void {
    this.#awaited.clear();
    this.#fetch.lost();
    this.close(leave);
  }
}
