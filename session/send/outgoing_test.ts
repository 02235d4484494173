import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { FramePool } from "../../relay/group/frame_pool.ts";
import type { Subgroup } from "../../relay/group/group.ts";
import { GroupWriter } from "../../relay/group/group_writer.ts";
import { newRelayStats } from "../../relay/stats.ts";
import { Track } from "../../relay/track.ts";
import type { SendStream } from "../../transport/connection.ts";
import { memoryPair } from "../../transport/memory/memory.ts";
import { STREAM_CODE } from "../../wire/lite/codes.ts";
import { newSessionHits, NO_LIMITS } from "../limits.ts";
import { RawPeer, tick } from "../peers_test.ts";
import { LimitedQuota } from "../quota.ts";
import { type GroupBody, type GroupEncoder, StreamHead } from "./encoder.ts";
import { Outgoing } from "./outgoing.ts";

const LIMITS = { groupCacheSize: 8, maxAgeMs: 30_000, maxGroupBytes: 1 << 20 };

/** Another protocol than ours: a marked number in front, every byte inverted, 0xee where a group is cut. */
class Inverted implements GroupEncoder {
  readonly codes = { ...STREAM_CODE, old: 901, evicted: 902 };

  head({ sequence }: Subgroup): StreamHead {
    return new StreamHead(Uint8Array.of(0xaa, sequence));
  }

  body(): GroupBody {
    return {
      position: 0,
      next(this: { position: number }, group: Subgroup) {
        const slice = group.slice(this.position);
        this.position += slice.length;
        return slice.map((byte) => byte ^ 0xff);
      },
    };
  }

  cut(stream: SendStream, _group: Subgroup, _position: number, code: number): void {
    stream.write(Uint8Array.of(0xee));
    stream.reset(code);
  }
}

function sending() {
  const [near, far] = memoryPair();
  const clock = new ManualClock();
  const stats = newRelayStats();
  const track = new Track("a", "v", { pool: new FramePool(), clock, stats, limits: LIMITS });
  const over: string[] = [];
  const outgoing = new Outgoing({
    ...{ connection: near, track, clock, stats },
    encoder: new Inverted(),
    request: { priority: 128, maxLatencyMs: 0, startGroup: undefined, endGroup: undefined },
    saysLatency: true,
    quota: new LimitedQuota(NO_LIMITS, newSessionHits(), clock),
    onEmpty: () => over.push("empty"),
    onFailed: () => over.push("failed"),
  });
  const open = (sequence: number) => {
    const group = track.ring.add(sequence, clock.now())!;
    outgoing.send(group);
    return new GroupWriter(group, LIMITS);
  };
  return { outgoing, near, peer: new RawPeer(far), open, over };
}

Deno.test("groups go out as the encoder of their protocol writes them", async () => {
  const at = sending();
  const writer = at.open(5);
  writer.frame(0, Uint8Array.of(1, 2)); // kept as timestamp 0, size 2, payload
  await tick();
  const stream = await at.peer.nextUni();
  await stream.hears("aa 05 ff fd fe fd");
  writer.frame(0, Uint8Array.of(3));
  await stream.hears("ff fe fc");
  assert.deepEqual([at.outgoing.empty, at.over], [false, []]);
  writer.finish();
  await stream.hears("", "fin");
  assert.deepEqual([at.outgoing.empty, at.over], [true, ["empty"]]);
});

Deno.test("a group that is cut ends as its protocol shows it, with the protocol's code", async () => {
  const at = sending();
  at.open(0).frame(0, Uint8Array.of(1));
  await tick();
  const stream = await at.peer.nextUni();
  await stream.hears("aa 00 ff fe fe");
  at.outgoing.cut("evicted");
  await tick();
  assert.equal(stream.end, "reset 902");
  assert.deepEqual(at.over, ["empty"]);
});

Deno.test("no stream can be opened any more: whoever sends is told", async () => {
  const at = sending();
  at.near.close();
  at.open(0);
  await tick();
  assert.deepEqual(at.over, ["failed"]);
});
