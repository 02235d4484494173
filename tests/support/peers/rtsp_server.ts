/**
 * A small RTSP server that forwards what ffmpeg sends as RTP: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN over TCP with
 * interleaved media or media over UDP, and basic or digest authentication (RFC 2326, RFC 2617).
 *
 * @module
 */
import { killed } from "../borrowed.ts";
import { createHash } from "node:crypto";

export interface RtspServerOptions {
  /** Encoders and inputs of ffmpeg, one list for each track. */
  readonly tracks: readonly (readonly string[])[];
  readonly login?: {
    readonly user: string;
    readonly password: string;
    readonly scheme: "basic" | "digest";
  };
  /** Listens where an earlier one did. */
  readonly port?: number;
}

export interface RtspServer extends AsyncDisposable {
  readonly port: number;
  /** "tcp" or "udp" of every SETUP so far. */
  readonly transports: string[];
  /** Requests that were refused because of a wrong password. */
  readonly refused: () => number;
}

const REALM = "test camera";
const NONCE = "5eb63bbbe01eeed093cb22bb8f5acdc3";

const md5 = (text: string) => createHash("md5").update(text).digest("hex");

interface Source extends AsyncDisposable {
  readonly sdp: string;
  readonly viewers: Set<(packet: Uint8Array) => void>;
}

/** One ffmpeg that sends one track to a port of ours. */
async function startSource(args: readonly string[]): Promise<Source> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { port } = socket.addr as Deno.NetAddr;
  const target = `rtp://127.0.0.1:${port}?pkt_size=1200`;
  const child = new Deno.Command("ffmpeg", {
    args: ["-v", "error", "-nostdin", "-re", ...args, "-f", "rtp", "-sdp_file", "pipe:1", target],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const viewers = new Set<(packet: Uint8Array) => void>();
  (async () => {
    for await (const [packet] of socket) for (const give of viewers) give(packet);
  })().catch(() => {});
  let sdp = "";
  // ffmpeg writes it at once. A format with a fixed number has only its "m=" line.
  while (!/^m=/m.test(sdp)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`ffmpeg gave no SDP: ${sdp}`);
    sdp += value;
  }
  return {
    sdp,
    viewers,
    async [Symbol.asyncDispose]() {
      await killed(child);
      await reader.cancel().catch(() => {});
      socket.close();
    },
  };
}

export async function startRtspServer(options: RtspServerOptions): Promise<RtspServer> {
  const sources = await Promise.all(options.tracks.map(startSource));
  const listener = Deno.listen({ hostname: "127.0.0.1", port: options.port ?? 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const open = new Set<Deno.TcpConn>();
  const transports: string[] = [];
  let refused = 0;

  const sdp = [
    ...["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=test", "c=IN IP4 0.0.0.0", "t=0 0"],
    ...sources.flatMap((source, i) => [
      ...source.sdp.split(/\r?\n/).filter((line) => /^(m=|a=rtpmap|a=fmtp)/.test(line))
        .map((line) => line.replace(/^m=(\w+) \d+/, "m=$1 0")),
      `a=control:track${i}`,
    ]),
    "",
  ].join("\r\n");

  function mayEnter(method: string, head: string): boolean {
    const { login } = options;
    if (login === undefined) return true;
    const given = /^Authorization: (.*)$/im.exec(head)?.[1]?.trim() ?? "";
    if (login.scheme === "basic") {
      return given === `Basic ${btoa(`${login.user}:${login.password}`)}`;
    }
    const field = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(given)?.[1] ?? "";
    const ha1 = md5(`${login.user}:${REALM}:${login.password}`);
    const ha2 = md5(`${method}:${field("uri")}`);
    return given.startsWith("Digest") && field("username") === login.user &&
      field("response") === md5(`${ha1}:${NONCE}:${ha2}`);
  }

  async function serve(connection: Deno.TcpConn): Promise<void> {
    open.add(connection);
    const leave: (() => void)[] = [];
    const playing: (() => void)[] = [];
    let writing = Promise.resolve();
    const send = (bytes: Uint8Array) => {
      writing = writing.then(async () => {
        for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
      }).catch(() => {});
    };
    const answer = (cseq: string, status: string, headers: string[] = [], body = "") =>
      send(new TextEncoder().encode([
        `RTSP/1.0 ${status}`,
        `CSeq: ${cseq}`,
        ...headers,
        ...(body === "" ? [] : [`Content-Length: ${body.length}`]),
        "",
        body,
      ].join("\r\n")));
    const handle = (head: string) => {
      const [method = "", url = ""] = head.split(" ");
      const cseq = /^CSeq: *(\d+)/im.exec(head)?.[1] ?? "0";
      if (method === "OPTIONS") {
        return answer(cseq, "200 OK", ["Public: DESCRIBE, SETUP, PLAY, TEARDOWN"]);
      }
      if (!mayEnter(method, head)) {
        refused++;
        const digest = options.login?.scheme === "digest";
        return answer(cseq, "401 Unauthorized", [
          digest
            ? `WWW-Authenticate: Digest realm="${REALM}", nonce="${NONCE}"`
            : `WWW-Authenticate: Basic realm="${REALM}"`,
        ]);
      }
      if (method === "DESCRIBE") {
        return answer(cseq, "200 OK", ["Content-Type: application/sdp"], sdp);
      }
      if (method === "SETUP") {
        const source = sources[Number(/track(\d+)/.exec(url)?.[1] ?? 0)]!;
        const wanted = /^Transport: *(.*)$/im.exec(head)?.[1]?.trim() ?? "";
        transports.push(/TCP/.test(wanted) ? "tcp" : "udp");
        let give: (packet: Uint8Array) => void;
        if (/TCP/.test(wanted)) {
          const channel = Number(/interleaved=(\d+)/.exec(wanted)?.[1] ?? 0);
          give = (packet) => {
            const framed = new Uint8Array(4 + packet.length);
            framed.set([0x24, channel, packet.length >> 8, packet.length & 255]);
            framed.set(packet, 4);
            send(framed);
          };
        } else {
          const target = Number(/client_port=(\d+)/.exec(wanted)?.[1]);
          const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
          leave.push(() => socket.close());
          const to = { transport: "udp", hostname: "127.0.0.1", port: target } as const;
          give = (packet) => void socket.send(packet, to).catch(() => {});
          const mine = (socket.addr as Deno.NetAddr).port;
          playing.push(() => source.viewers.add(give));
          leave.push(() => source.viewers.delete(give));
          return answer(cseq, "200 OK", [
            `Transport: ${wanted};server_port=${mine}-${mine + 1}`,
            "Session: 1",
          ]);
        }
        playing.push(() => source.viewers.add(give));
        leave.push(() => source.viewers.delete(give));
        return answer(cseq, "200 OK", [`Transport: ${wanted}`, "Session: 1"]);
      }
      answer(cseq, "200 OK", ["Session: 1"]);
      if (method === "PLAY") { for (const begin of playing) begin(); }
    };
    try {
      let rest = new Uint8Array();
      const buffer = new Uint8Array(65536);
      for (let n; (n = await connection.read(buffer)) !== null;) {
        const joined = new Uint8Array(rest.length + n);
        joined.set(rest);
        joined.set(buffer.subarray(0, n), rest.length);
        rest = joined;
        for (;;) {
          // The client's reports come between its requests.
          if (rest[0] === 0x24) {
            const length = 4 + ((rest[2] ?? 0) << 8) + (rest[3] ?? 0);
            if (rest.length < 4 || rest.length < length) break;
            rest = rest.slice(length);
            continue;
          }
          const text = new TextDecoder().decode(rest);
          const end = text.indexOf("\r\n\r\n");
          if (end < 0) break;
          handle(text.slice(0, end));
          rest = rest.slice(end + 4);
        }
      }
    } catch { // The client has gone.
    } finally {
      for (const one of leave) one();
      open.delete(connection);
      try {
        connection.close();
      } catch { // It is closed.
      }
    }
  }

  (async () => {
    for await (const connection of listener) void serve(connection as Deno.TcpConn);
  })().catch(() => {});

  return {
    port,
    transports,
    refused: () => refused,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) {
        try {
          connection.close();
        } catch { // It is closed.
        }
      }
      for (const source of sources) await source[Symbol.asyncDispose]();
    },
  };
}
