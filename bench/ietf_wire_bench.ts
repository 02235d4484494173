/** What moq-transport's heads of objects and datagrams cost, in either kind of varint. Control messages are no media. */
import { decodeDatagram, encodeDatagram } from "../wire/ietf/data/datagram.ts";
import { FetchHeads, FetchWriter } from "../wire/ietf/data/fetch_objects.ts";
import { ObjectHeads, putObjectHead } from "../wire/ietf/data/object_head.ts";
import { profileOf } from "../wire/ietf/profile.ts";

/** Keeps results alive, so that the compiler cannot drop the work. */
let sink = 0;
const timestamp = Uint8Array.of(0x10, 0x05);
const none = new Uint8Array();
const PAYLOAD = 1_200;

for (const draft of [16, 18] as const) {
  const profile = profileOf(draft);
  for (const properties of [undefined, timestamp]) {
    const stream = new Uint8Array(30 * (PAYLOAD + 16));
    let end = 0;
    for (let i = 0; i < 30; i++) {
      end = PAYLOAD + putObjectHead(stream, end, profile.varints, 0, properties, PAYLOAD);
    }
    const has = properties !== undefined;
    const name = `read 30 object heads ${has ? "with" : "without"} properties, draft ${draft}`;
    Deno.bench(name, { group: "object heads" }, () => {
      const heads = new ObjectHeads(profile, has);
      for (let at = 0; at < end;) at = heads.next(stream, at, end) + heads.payloadLength;
      sink += heads.id;
    });
  }

  const writer = new FetchWriter(profile);
  const fetched: number[] = [];
  for (let object = 0; object < 30; object++) {
    const one = { group: 7, subgroup: 0, object, priority: 128, datagram: false, status: 0 };
    fetched.push(...writer.object({ ...one, properties: timestamp }, 9), ...new Uint8Array(9));
  }
  const answer = Uint8Array.from(fetched);
  Deno.bench(`read 30 fetched heads, draft ${draft}`, { group: "object heads" }, () => {
    const heads = new FetchHeads(profile);
    for (let at = 0; at < answer.length;) {
      at = heads.next(answer, at, answer.length) + heads.payloadLength;
    }
    sink += heads.object;
  });

  const head = {
    alias: 7,
    group: 123_456,
    object: 3,
    priority: 128,
    properties: none,
    status: 0,
    endOfGroup: false,
  };
  const datagram = encodeDatagram(head, new Uint8Array(1_000), profile);
  Deno.bench(`read a datagram of 1,000 bytes, draft ${draft}`, { group: "datagram" }, () => {
    sink += decodeDatagram(datagram, profile)!.group;
  });
}
