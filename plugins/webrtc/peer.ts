/**
 * One WebRTC peer that answers an offer: ICE lite, candidates of this machine alone, gone when nothing is heard of the
 * other side.
 *
 * @module
 */
import { RTCPeerConnection, RTCRtpCodecParameters } from "werift";
import type { Clock } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { takeHandshakesOnce } from "./dtls.ts";
import { RequestRefused } from "./errors.ts";
import type { OfferedCodec } from "./offer.ts";
import { ownAddresses } from "./own_addresses.ts";

/** Where peers are reached. */
export interface PeerPlace {
  /** Addresses told to the other side; those of the machine if there are none. */
  readonly addresses: readonly string[];
  /** UDP ports, both included; any free one if absent. */
  readonly ports?: readonly [number, number];
}

export interface PeerOptions extends PeerPlace {
  readonly clock: Clock;
  /** The offer, with nothing in it that is not to be answered. */
  readonly sdp: string;
  /** What is answered, by kind. */
  readonly codecs: Readonly<Partial<Record<"audio" | "video", readonly OfferedCodec[]>>>;
  readonly direction: "sendonly" | "recvonly";
  /** A peer of which nothing is heard for so long is closed, in milliseconds. */
  readonly timeoutMs: number;
  /** The same before its first ICE check. */
  readonly iceTimeoutMs: number;
}

const FEEDBACK = {
  audio: [],
  video: [{ type: "nack" }, { type: "nack", parameter: "pli" }],
} as const;

/** An answered offer. Close it in the end. */
export class Peer {
  readonly connection: RTCPeerConnection;
  /** Aborts when it is closed, by whichever side. */
  readonly over: AbortSignal;
  /** Fulfils when media can flow; stays pending if it never does. */
  readonly connected: Promise<void>;
  readonly #over = new AbortController();
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #iceTimeoutMs: number;
  readonly #answeredMs: number;
  #heardMs: number | undefined;
  #connected = false;
  #stopWatching: () => void = () => {};
  #answer = "";

  /**
   * @throws {RequestRefused} 400: the offer cannot be used. 503: no UDP port is free, or nobody knows the addresses of this
   *   machine.
   */
  static async answer(options: PeerOptions): Promise<Peer> {
    const peer = new Peer(options);
    try {
      await peer.#negotiate(options);
      return peer;
    } catch (error) {
      peer.close();
      if (error instanceof RequestRefused) throw error;
      throw new RequestRefused(400, `Cannot take this offer: ${reasonOf(error)}`, {});
    }
  }

  private constructor(options: PeerOptions) {
    const { codecs, clock } = options;
    this.over = this.#over.signal;
    this.#clock = clock;
    this.#timeoutMs = options.timeoutMs;
    this.#iceTimeoutMs = options.iceTimeoutMs;
    this.#answeredMs = clock.now();
    this.connection = new RTCPeerConnection({
      iceLite: true,
      // Only what is listed: the addresses of the machine would be added to it.
      iceUseIpv4: false,
      iceUseIpv6: false,
      iceServers: [],
      iceAdditionalHostAddresses: options.addresses.length > 0
        ? [...options.addresses]
        : ownAddresses(),
      ...(options.ports !== undefined && { icePortRange: [...options.ports] as [number, number] }),
      // The other side asks again every few seconds whether we are there.
      iceFilterStunResponse: () => {
        this.heard();
        return true;
      },
      codecs: {
        audio: (codecs.audio ?? []).map((codec) => parametersOf("audio", codec)),
        video: (codecs.video ?? []).map((codec) => parametersOf("video", codec)),
      },
    });
    const connected = Promise.withResolvers<void>();
    this.connected = connected.promise;
    this.connection.connectionStateChange.subscribe((state) => {
      if (state === "connected") {
        this.#connected = true;
        connected.resolve();
      } else if (state === "failed" || state === "closed") this.close();
    });
    this.#watch();
  }

  /** The answer, with all candidates. */
  get sdp(): string {
    return this.#answer;
  }

  /** The other side is there. */
  heard(): void {
    this.#heardMs = this.#clock.now();
  }

  /** A candidate of the other side. It has no effect where that one comes to us, but is looked at. */
  async candidate(candidate: string, sdpMid: string): Promise<void> {
    await this.connection.addIceCandidate({ candidate, sdpMid });
  }

  close(): void {
    if (this.over.aborted) return;
    this.#stopWatching();
    this.#over.abort();
    void this.connection.close().catch(() => {});
  }

  async #negotiate({ sdp, direction, codecs, ports }: PeerOptions): Promise<void> {
    const pc = this.connection;
    for (const kind of ["audio", "video"] as const) {
      if (codecs[kind] !== undefined) pc.addTransceiver(kind, { direction });
    }
    await pc.setRemoteDescription({ type: "offer", sdp });
    for (const transport of pc.dtlsTransports) {
      takeHandshakesOnce(transport);
      // The other side said goodbye.
      transport.onStateChange.subscribe((state) => {
        if (state === "closed" || state === "failed") this.close();
      });
    }
    const answer = await pc.createAnswer();
    await oneByOne(() => pc.setLocalDescription(answer));
    const text = pc.localDescription?.sdp ?? "";
    if (!text.includes("a=candidate:")) {
      const where = ports === undefined ? "" : ` from ${ports[0]} to ${ports[1]}`;
      throw new RequestRefused(503, `Cannot answer: no UDP port${where} is free`, {
        "retry-after": "5",
      });
    }
    this.#answer = withIceLite(text);
  }

  #watch(): void {
    const lookMs = Math.min(this.#timeoutMs, this.#iceTimeoutMs) / 4;
    this.#stopWatching = this.#clock.after(lookMs, () => {
      const now = this.#clock.now();
      const late = this.#heardMs === undefined
        ? now - this.#answeredMs >= this.#iceTimeoutMs
        : now - this.#heardMs > this.#timeoutMs ||
          (!this.#connected && now - this.#answeredMs > CONNECT_MS);
      if (late) this.close();
      else this.#watch();
    });
  }
}

/** One that is heard of, and with which no media can flow after so long, has not come for that. */
const CONNECT_MS = 30_000;

/** A free port is looked for and taken in two steps: two who do so at once would meet on the same. */
let before: Promise<unknown> = Promise.resolve();
function oneByOne<T>(work: () => Promise<T>): Promise<T> {
  const done = before.then(work, work);
  before = done.catch(() => {});
  return done;
}

function parametersOf(kind: "audio" | "video", codec: OfferedCodec): RTCRtpCodecParameters {
  const { payloadType, name, clockRate, channels, parameters } = codec;
  return new RTCRtpCodecParameters({
    mimeType: `${kind}/${name}`,
    clockRate,
    payloadType,
    ...(channels !== undefined && { channels }),
    ...(parameters !== undefined && { parameters }),
    rtcpFeedback: [...FEEDBACK[kind]],
  });
}

/** The attribute belongs to the session (RFC 8839, 5.3); browsers look for it there alone. */
function withIceLite(sdp: string): string {
  return sdp.replace(/\r\na=ice-lite/g, "").replace(/\r\nt=0 0/, "\r\nt=0 0\r\na=ice-lite");
}
