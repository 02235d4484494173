/** An RTMP client made of bytes, for what ffmpeg would never send. For tests only. */
import { type Amf, encodeAmf } from "../../../plugins/ingress/rtmp/amf0.ts";
import { chunksOf } from "../../../plugins/ingress/rtmp/chunk_writer.ts";

/** A message of RTMP in chunks. */
export const rtmpMessage = (type: number, payload: Uint8Array<ArrayBuffer>, timestampMs = 0) =>
  chunksOf(3, { type, streamId: 0, timestampMs, payload });

export const rtmpCommand = (...values: Amf[]) => rtmpMessage(20, encodeAmf(values));

/** C0, C1 and C2. */
export function rtmpHello(): Uint8Array<ArrayBuffer> {
  const hello = new Uint8Array(1 + 2 * 1536);
  hello[0] = 3;
  return hello;
}

/** Everything a client sends up to its request to publish. */
export function rtmpPublish(app: string, name: string): Uint8Array<ArrayBuffer>[] {
  return [
    rtmpHello(),
    rtmpCommand("connect", 1, new Map([["app", app], ["tcUrl", `rtmp://h/${app}`]])),
    rtmpCommand("createStream", 2, null),
    rtmpCommand("publish", 3, null, name, "live"),
  ];
}

/** A connection that sends what it is told. */
export async function rtmpDial(port: number) {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  let answered = "";
  const over = (async () => {
    const latin = new TextDecoder("latin1");
    try {
      for await (const part of conn.readable) answered += latin.decode(part);
    } catch { // It was cut.
    }
  })();
  return {
    /** The server's answer, with one character per byte. */
    answered: () => answered,
    /** Fulfils when the server has ended it. */
    over,
    /** False once the connection is cut. */
    async send(...parts: Uint8Array[]): Promise<boolean> {
      try {
        for (const part of parts) {
          for (let at = 0; at < part.length;) at += await conn.write(part.subarray(at));
        }
        return true;
      } catch {
        return false;
      }
    },
    async [Symbol.asyncDispose]() {
      try {
        conn.close();
      } catch { // It was closed by the end of what was read.
      }
      await over;
    },
  };
}
