import assert from "node:assert/strict";
import { silent } from "../../base/logger.ts";
import { counting, FakeSource, testContext } from "../../tests/support/fixtures/relay.ts";
import {
  objectBytes,
  objects,
  ObjectWriter,
  type TestObject,
} from "../../tests/support/fixtures/objects.ts";
import { Origin } from "../../relay/origin.ts";
import { UNTOLD_TRACK_INFO } from "../../relay/ports.ts";
import { ThreadLinks } from "./thread_links.ts";
import type {
  FromReader,
  SeenElse,
  SeenSubgroup,
  ToReader,
} from "../../tests/support/programs/subgroups_worker.ts";

/** A node in another thread that reads "t" of "p" and tells of every subgroup that has ended. */
class ReadingNode implements Disposable {
  readonly seen: SeenSubgroup[] = [];
  readonly else: SeenElse[] = [];
  readonly #worker: Worker;
  #told = Promise.withResolvers<void>();

  constructor(layout: "frames" | "kept", links: ThreadLinks, index: number) {
    const url = new URL("../../tests/support/programs/subgroups_worker.ts", import.meta.url);
    this.#worker = new Worker(url, { type: "module" });
    const { port1, port2 } = new MessageChannel();
    links.join(index, port1);
    this.#worker.onmessage = ({ data }: MessageEvent<FromReader>) => {
      if (data !== "reading") "sequence" in data ? this.seen.push(data) : this.else.push(data);
      this.#told.resolve();
      this.#told = Promise.withResolvers();
    };
    this.#worker.onerror = (event) => this.#told.reject(event.error ?? new Error(event.message));
    const message: ToReader = { layout, port: port2, index };
    this.#worker.postMessage(message, [port2]);
  }

  /** Waits for the next word. */
  get told(): Promise<void> {
    return this.#told.promise;
  }

  async ended(count: number): Promise<SeenSubgroup[]> {
    while (this.seen.length < count) await this.told;
    return this.seen.toSorted((a, b) => a.sequence - b.sequence || a.head.id - b.head.id);
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

const object = (id: number, size: number): TestObject => ({
  id,
  payload: counting(size, id),
  properties: counting(id % 7, 9),
});

/** Sizes above the 64 KiB that go through at once, and above one slab. */
const LISTS = [
  [object(0, 5), object(3, 150_000), object(9, 0)],
  [object(1, 70_000), object(2, 10)],
  [object(4, 1)],
];

Deno.test("subgroups of objects cross to other threads byte for byte, with facts, datagrams and what is fetched", async () => {
  const context = testContext();
  const origin = new Origin({ context, hop: 7n, lingerMs: 0, place: { index: 0, count: 3 } });
  const links = new ThreadLinks(origin, silent);
  const source = new FakeSource("publisher");
  origin.announce("p", source, { hops: [5n], warm: 1, cold: 2 });
  using kept = new ReadingNode("kept", links, 1);
  using merged = new ReadingNode("frames", links, 2);
  await Promise.all([kept.told, merged.told]);
  const track = origin.find("p")!.track("p", "t");
  while (track.readers < 2) await new Promise((resolve) => setTimeout(resolve, 1));

  const info = {
    ...UNTOLD_TRACK_INFO,
    properties: { bytes: counting(5), layout: "objects16" },
  } as const;
  const largest = { group: 2, object: 2 ** 34 };
  source.fills = (sink) => {
    for (const [i, list] of LISTS.entries()) {
      const writer = new ObjectWriter(sink.open(objects(i), list[0]!.id)!);
      for (const each of list) writer.object(each);
    }
    sink.ended(true);
  };
  source.last.sink.accepted({ info, largest });
  const datagram = {
    object: 3,
    properties: counting(7),
    layout: "objects16",
    priority: 0,
    status: 0,
    endOfGroup: false,
  } as const;
  source.last.sink.datagram(2, 0, counting(4), datagram);

  const heads = [
    objects(2 ** 40, { publisherPriority: 0, properties: true, firstObject: false }),
    objects(1, { publisherPriority: 255, properties: false, firstObject: true }),
    objects(7, { endOfGroup: true }),
  ];
  for (const sequence of [3, 4]) {
    const writers = heads.map((head) =>
      new ObjectWriter(source.last.sink.openGroup(sequence, 0, head)!)
    );
    for (const [i, writer] of writers.entries()) {
      for (const each of LISTS[i]!) {
        writer.object(each, 20_000);
        await new Promise((resolve) => setTimeout(resolve, 0)); // lets the others see half an object
        writer.writer.payload(each.payload.subarray(20_000));
        writer.writer.commit();
      }
      // Of the second group one subgroup is given up inside an object.
      if (sequence === 4 && i === 1) {
        writer.object(object(5, 100), 60);
        writer.writer.cut();
      } else writer.writer.finish();
    }
  }

  const seen = await kept.ended(6);
  const byId = [1, 2, 0]; // 1, 7, 2 ** 40
  for (const [n, one] of seen.entries()) {
    const i = byId[n % 3]!;
    const cut = n === 3;
    assert.deepEqual(one.head, heads[i]);
    assert.deepEqual([one.sequence, one.startFrame], [n < 3 ? 3 : 4, 0]);
    const whole = objectBytes(LISTS[i]!);
    const all = cut ? objectBytes([...LISTS[i]!, object(5, 100)]).slice(0, -40) : whole;
    assert.ok(Array.from(one.bytes).every((byte, at) => byte === all[at]), `bytes of ${n}`);
    assert.equal(one.bytes.length, all.length);
    assert.deepEqual([one.state, one.frames, one.lastId, one.wholeBytes], [
      cut ? "cut" : "complete",
      LISTS[i]!.length,
      LISTS[i]!.at(-1)!.id,
      whole.length,
    ]);
  }

  const said = (one: ReadingNode) => one.else.filter(({ fetched }) => fetched === undefined);
  assert.deepEqual(said(kept), [{ facts: { info, largest } }, { datagram }]);
  assert.deepEqual(said(merged), [{ facts: { info, largest } }], "no frame is an object 3");
  const fetched = () => kept.else.find(({ fetched }) => fetched !== undefined)?.fetched;
  while (fetched() === undefined) await kept.told;
  const shown = fetched()!.map(({ head, startFrame, bytes, state }) => [
    head,
    startFrame,
    bytes,
    state,
  ]);
  const whole = LISTS.map((list, i) => [
    objects(i),
    list[0]!.id,
    Uint8Array.from(objectBytes(list)),
    "complete",
  ]);
  assert.deepEqual(shown, whole);

  // The node of the frames' reader has the objects too, and converts them there.
  const [three, four] = await merged.ended(2);
  assert.deepEqual([three!.head.layout, three!.state, three!.frames], ["frames", "complete", 6]);
  assert.deepEqual([four!.head.layout, four!.state], ["frames", "cut"]);
  links.close();
});
