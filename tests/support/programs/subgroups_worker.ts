/**
 * A node in another thread for `subgroups_test.ts`: reads the track "t" of "p" and posts each subgroup when it has ended, what
 * is known of the track, its datagrams, and group 90, which it fetches.
 *
 * @module
 */
import { silent } from "../../../base/logger.ts";
import { bytesOf, FakeReader, LIVE, testContext } from "../fixtures/relay.ts";
import type { Broadcast } from "../../../relay/broadcast.ts";
import type { GroupState, Subgroup } from "../../../relay/group/group.ts";
import type { SubgroupHead } from "../../../relay/group/subgroup_head.ts";
import { convert } from "../fixtures/objects.ts";
import { Origin } from "../../../relay/origin.ts";
import type { DatagramObject, TrackFacts } from "../../../relay/reading.ts";
import { ThreadLinks } from "../../../server/threads/thread_links.ts";

export interface ToReader {
  readonly layout: "frames" | "kept";
  readonly port: MessagePort;
  readonly index: number;
}

export type FromReader = "reading" | SeenSubgroup | SeenElse;

/** What else came. */
export interface SeenElse {
  readonly facts?: TrackFacts;
  readonly datagram?: DatagramObject | undefined;
  readonly fetched?: readonly SeenSubgroup[];
}

export interface SeenSubgroup {
  readonly sequence: number;
  readonly head: SubgroupHead;
  readonly startFrame: number;
  readonly bytes: Uint8Array;
  readonly frames: number;
  readonly lastId: number;
  readonly wholeBytes: number;
  readonly state: GroupState;
}

interface WorkerScope {
  onmessage: ((event: MessageEvent<ToReader>) => void) | null;
  postMessage(message: FromReader): void;
}

function seen(subgroup: Subgroup): SeenSubgroup {
  const { sequence, head, startFrame, frames, lastId, wholeBytes, state } = subgroup;
  const bytes = bytesOf(subgroup);
  return { sequence, head, startFrame, frames, lastId, wholeBytes, state, bytes };
}

async function fetchAll(broadcast: Broadcast): Promise<SeenSubgroup[]> {
  const group = await broadcast.fetchGroup("p", "t", { group: 90, priority: 0 });
  while (!group.isOver) await new Promise((resolve) => setTimeout(resolve, 1));
  return group.subgroups.map(seen);
}

// The test imports the types above: only in a worker there is somebody to post to.
if ("postMessage" in globalThis) {
  const scope = globalThis as unknown as WorkerScope;
  scope.onmessage = ({ data: { layout, port, index } }) => {
    setInterval(() => {}, 1000); // waiting for shared memory does not keep the thread going
    const place = { index, count: 3 };
    const origin = new Origin({
      context: testContext({}, convert),
      hop: 7n,
      lingerMs: 0,
      place,
    });
    origin.watch({}, ({ kind }) => {
      if (kind !== "active") return;
      const reader = new FakeReader(LIVE, layout);
      reader.then = (subgroup) => {
        const cursor = {
          slot: -1,
          pump() {
            if (subgroup.state === "open") return;
            scope.postMessage(seen(subgroup));
            subgroup.detach(cursor);
          },
        };
        subgroup.attach(cursor);
        cursor.pump();
      };
      const broadcast = origin.find("p")!;
      const track = broadcast.track("p", "t");
      reader.whenKnown = () => {
        scope.postMessage({ facts: { info: track.info, largest: track.largest } });
        void fetchAll(broadcast).then((fetched) => scope.postMessage({ fetched }));
      };
      reader.onDatagram = (_sequence, _timestamp, _payload, datagram) =>
        scope.postMessage({ datagram });
      track.add(reader);
      scope.postMessage("reading");
    });
    new ThreadLinks(origin, silent).join(0, port);
  };
}
