/**
 * The floor: the cost of writing the same bytes to many QUIC connections with Deno alone. It speaks no protocol. Each
 * connection gets group streams until it leaves, nothing that it sends is read, and the frames are made here.
 *
 * The streams look like those of moq-lite-05, so `qumo-relay bench --publishers 0` can be its viewers.
 *
 * Prints one line of JSON when it listens: its port and the SHA-256 of its certificate.
 */
import { parseArgs } from "node:util";
import { putStamp, wallMs } from "../load/figures/stamp.ts";
import { selfSigned } from "../config/tls/self_signed.ts";
import { denoTransport, type TransportSettings } from "../transport/quic/quic_settings.ts";
import { dialectOf, UNI } from "../wire/lite/dialect.ts";
import { framed } from "../wire/message.ts";
import { putVarint } from "../wire/varint.ts";

const DIALECT = dialectOf("moq-lite-05");

/** One connection and the stream of its current group. */
class Viewer {
  #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBufferLike>> | undefined;

  constructor(readonly conn: Deno.QuicConn) {}

  async open(head: Uint8Array, frame: Uint8Array, last: boolean): Promise<void> {
    const stream = await this.conn.createUnidirectionalStream({ waitUntilAvailable: true });
    this.#writer = stream.getWriter();
    const first = new Uint8Array(head.length + frame.length);
    first.set(head);
    first.set(frame, head.length);
    this.write(first, last);
  }

  write(bytes: Uint8Array, last: boolean): void {
    this.#writer?.write(bytes).catch(() => {});
    if (!last) return;
    this.#writer?.close().catch(() => {});
    this.#writer = undefined;
  }
}

/** A frame with its own bytes: viewers read it while the next one is made. */
function makeFrame(size: number, last: boolean): Uint8Array {
  const bytes = new Uint8Array(size + 16).fill(0x71);
  const at = putVarint(bytes, putVarint(bytes, 0, 0), size);
  putStamp(new DataView(bytes.buffer, at), wallMs(), last);
  return bytes.subarray(0, at + size);
}

interface FloorOptions {
  readonly fps: number;
  readonly frameSize: number;
  readonly groupSize: number;
  readonly transport: TransportSettings;
}

async function serve({ fps, frameSize, groupSize, transport }: FloorOptions): Promise<never> {
  const { cert, key, sha256 } = await selfSigned(["localhost", "127.0.0.1"]);
  const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: 0 });
  const listener = endpoint.listen({
    ...denoTransport(transport),
    cert,
    key,
    alpnProtocols: [DIALECT.name],
  });
  const viewers = new Set<Viewer>();
  say(JSON.stringify({ port: endpoint.addr.port, hash: sha256.toHex() }));

  let count = 0;
  const startedMs = performance.now();
  const tick = () => {
    const index = count % groupSize;
    const last = index === groupSize - 1;
    const frame = makeFrame(frameSize, last);
    if (index === 0) {
      const sequence = count / groupSize;
      const body = DIALECT.group.encode({ subscribe: 0, sequence, startFrame: 0 });
      const head = framed(body, UNI.group);
      for (const viewer of viewers) {
        viewer.open(head, frame, last).catch(() => viewers.delete(viewer));
      }
    } else {
      for (const viewer of viewers) viewer.write(frame, last);
    }
    count++;
    setTimeout(tick, Math.max(0, startedMs + count * 1000 / fps - performance.now()));
  };
  tick();
  for (;;) {
    // Handshakes run in parallel.
    accept(await listener.incoming(), viewers);
  }
}

async function accept(incoming: Deno.QuicIncoming, viewers: Set<Viewer>): Promise<void> {
  try {
    const viewer = new Viewer(await incoming.accept<false>());
    viewers.add(viewer);
    viewer.conn.closed.then(() => viewers.delete(viewer), () => viewers.delete(viewer));
  } catch { // It did not come about.
  }
}

const say = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      fps: { type: "string", default: "30" },
      "frame-size": { type: "string", default: "4000" },
      "group-size": { type: "string", default: "30" },
      congestion: { type: "string", default: "bbr" },
    },
  });
  await serve({
    fps: Number(values.fps),
    frameSize: Number(values["frame-size"]),
    groupSize: Number(values["group-size"]),
    transport: { congestionControl: values.congestion === "cubic" ? "cubic" : "bbr" },
  });
}
