/**
 * One WebRTC peer that answers an offer: by ICE lite, with candidates of this machine alone. It ends when the other side is
 * silent.
 *
 * @module
 */
import { RTCPeerConnection, RTCRtpCodecParameters } from "werift";
import type { Clock } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { takeHandshakesOnce } from "./dtls.ts";
import { WebRtcRefused } from "./errors.ts";
import type { OfferedCodec } from "./offer.ts";
import { ownAddresses } from "./own_addresses.ts";

/** Where peers are reached. */
export interface PeerPlace {
  /** Addresses that the other side is told; those of the machine when empty. */
  readonly addresses: readonly string[];
  /** First and last UDP port. Default: any free one. */
  readonly ports?: readonly [number, number];
}

export interface RtcPeerOptions extends PeerPlace {
  readonly clock: Clock;
  /** The offer, with nothing but what is to be answered. */
  readonly sdp: string;
  /** The codecs of the answer, by kind. */
  readonly codecs: Readonly<Partial<Record<"audio" | "video", readonly OfferedCodec[]>>>;
  readonly direction: "sendonly" | "recvonly";
  /** A peer that is silent for so long is closed, in milliseconds. */
  readonly timeoutMs: number;
  /** The same, before its first ICE check. */
  readonly iceTimeoutMs: number;
}

const FEEDBACK = {
  audio: [],
  video: [{ type: "nack" }, { type: "nack", parameter: "pli" }],
} as const;

/** An answered offer. Close it in the end. */
export class RtcPeer {
  readonly connection: RTCPeerConnection;
  /** Aborts when either side has closed it. */
  readonly over: AbortSignal;
  /** Fulfils when media can flow; otherwise never. */
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
   * @throws {WebRtcRefused} 400: the offer cannot be used. 503: no UDP port is free, or the addresses of this machine are
   *   unknown.
   */
  static async answer(options: RtcPeerOptions): Promise<RtcPeer> {
    const peer = new RtcPeer(options);
    try {
      await peer.#negotiate(options);
      return peer;
    } catch (error) {
      peer.close();
      if (error instanceof WebRtcRefused) throw error;
      throw new WebRtcRefused(400, `Cannot take this offer: ${reasonOf(error)}`, {});
    }
  }

  private constructor(options: RtcPeerOptions) {
    const { codecs, clock } = options;
    this.over = this.#over.signal;
    this.#clock = clock;
    this.#timeoutMs = options.timeoutMs;
    this.#iceTimeoutMs = options.iceTimeoutMs;
    this.#answeredMs = clock.now();
    this.connection = new RTCPeerConnection({
      iceLite: true,
      // Only the listed addresses: werift would add those of the machine.
      iceUseIpv4: false,
      iceUseIpv6: false,
      iceServers: [],
      iceAdditionalHostAddresses: options.addresses.length > 0
        ? [...options.addresses]
        : ownAddresses(),
      ...(options.ports !== undefined && { icePortRange: [...options.ports] as [number, number] }),
      // The other side checks every few seconds that this one is there.
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

  /** Notes a sign of the other side. */
  heard(): void {
    this.#heardMs = this.#clock.now();
  }

  /** Takes a candidate of the other side. It is checked, but has no effect: the other side connects to this one. */
  async candidate(candidate: string, sdpMid: string): Promise<void> {
    await this.connection.addIceCandidate({ candidate, sdpMid });
  }

  close(): void {
    if (this.over.aborted) return;
    this.#stopWatching();
    this.#over.abort();
    void this.connection.close().catch(() => {});
  }

  async #negotiate({ sdp, direction, codecs, ports }: RtcPeerOptions): Promise<void> {
    const pc = this.connection;
    for (const kind of ["audio", "video"] as const) {
      if (codecs[kind] !== undefined) pc.addTransceiver(kind, { direction });
    }
    await pc.setRemoteDescription({ type: "offer", sdp });
    for (const transport of pc.dtlsTransports) {
      takeHandshakesOnce(transport);
      // The other side has closed it.
      transport.onStateChange.subscribe((state) => {
        if (state === "closed" || state === "failed") this.close();
      });
    }
    const answer = await pc.createAnswer();
    await oneByOne(() => pc.setLocalDescription(answer));
    const text = pc.localDescription?.sdp ?? "";
    if (!text.includes("a=candidate:")) {
      const where = ports === undefined ? "" : ` from ${ports[0]} to ${ports[1]}`;
      throw new WebRtcRefused(503, `Cannot answer: no UDP port${where} is free`, {
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

/** A peer that answers, and with which no media can flow after so long, is closed. */
const CONNECT_MS = 30_000;

/** One at a time: a free port is found and taken in two steps, and two peers at once would take the same. */
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

/** The attribute belongs to the session (RFC 8839, section 5.3). Browsers look for it only there. */
function withIceLite(sdp: string): string {
  return sdp.replace(/\r\na=ice-lite/g, "").replace(/\r\nt=0 0/, "\r\nt=0 0\r\na=ice-lite");
}
