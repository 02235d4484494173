/**
 * Sends to one WHEP viewer: from a keyframe on, never far behind, and again from a keyframe after a loss.
 *
 * @module
 */
import type { RTCRtpSender } from "werift";
import type { Clock } from "../../base/clock.ts";
import type { PluginStats } from "../plugin.ts";
import type { PacketFrame, PacketGroup, PacketReader, PacketTrack } from "./packet_track.ts";

/** Packets that are sent at once, and the pause before the next: a longer burst would overrun the viewer's socket buffer. */
const BURST_PACKETS = 48;
const BURST_MS = 5;
/** Viewers ask for a lost keyframe several times. One answer per second is enough. */
const RESTART_MS = 1000;
/** A viewer that is more frames behind catches up: it shows them at once. */
const BEHIND_FRAMES = 2;
const CATCH_UP_MS = 1;

export interface SenderOptions {
  readonly packets: PacketTrack;
  readonly sender: RTCRtpSender;
  readonly stats: PluginStats;
  readonly clock: Clock;
  /** Wall time of a moment of the broadcast, in milliseconds. It keeps audio and video in sync. */
  readonly wallMs: (timestampUs: number) => number;
  /** The rendition has ended. */
  readonly onend: () => void;
}

/** Sends the packets of one rendition to one viewer. */
export class PacketSender implements PacketReader {
  readonly #options: SenderOptions;
  readonly #offset = Math.floor(Math.random() * 2 ** 32);
  readonly #leave: () => void;
  /** In the lower half: if the first packets were lost with a wrap among them, the other side could decrypt nothing. */
  #sequence = Math.floor(Math.random() * 2 ** 15);
  #running = false;
  #closed = false;
  /** The group of the next frame; none before a keyframe. */
  #group: PacketGroup | undefined;
  #next = 0;
  #lastTicks = -Infinity;
  #restartedMs = -Infinity;
  #stopPause: (() => void) | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#leave = options.packets.read(this);
    options.sender.onPictureLossIndication.subscribe(() => this.#restart());
  }

  /** Media can flow: begins with the keyframe of the newest group. */
  start(): void {
    if (this.#closed) return;
    this.#running = true;
    this.#restart();
  }

  close(): void {
    this.#closed = true;
    this.#running = false;
    this.#stopPause?.();
    this.#leave();
  }

  /** Sends a new frame. */
  frame(): void {
    if (!this.#running) return;
    const { newest } = this.#options.packets;
    if (newest !== this.#group && newest !== undefined) {
      // A new group: the rest of the one before would only delay it.
      if (newest.frames.length === 1 && !newest.late) {
        this.#group = newest;
        this.#next = 0;
      }
    } else if (newest?.late) {
      // The frames before it are gone.
      this.#next = newest.frames.length - 1;
    }
    if (this.#stopPause === undefined) this.#pump();
  }

  /** The rendition is over. */
  end(): void {
    this.#options.onend();
  }

  /** Begins at the keyframe of the newest group, or of the next one when that is too far back. */
  #restart(): void {
    const nowMs = this.#options.clock.now();
    if (!this.#running || nowMs - this.#restartedMs < RESTART_MS) return;
    this.#restartedMs = nowMs;
    const { newest } = this.#options.packets;
    this.#group = newest?.late ? undefined : newest;
    this.#next = 0;
    if (this.#stopPause === undefined) this.#pump();
  }

  #pump(): void {
    const group = this.#group;
    let budget = BURST_PACKETS;
    while (group !== undefined && this.#next < group.frames.length) {
      const frame = group.frames[this.#next++]!;
      this.#send(frame, this.#ticksOf(frame, group));
      budget -= frame.packets.length;
      if (budget > 0 || this.#next >= group.frames.length) continue;
      this.#stopPause = this.#options.clock.after(BURST_MS, () => {
        this.#stopPause = undefined;
        if (this.#running) this.#pump();
      });
      return;
    }
  }

  /** Puts the times of past frames just before the newest, so that the viewer shows them as soon as they are decoded. */
  #ticksOf(frame: PacketFrame, group: PacketGroup): number {
    const behind = group.frames.length - this.#next;
    if (behind <= BEHIND_FRAMES) return frame.ticks;
    const newest = group.frames.at(-1)!.ticks;
    const step = CATCH_UP_MS * this.#options.packets.clockRate / 1000;
    return Math.max(this.#lastTicks + 1, newest - behind * step);
  }

  #send(frame: PacketFrame, ticks: number): void {
    const { sender, stats, wallMs, packets } = this.#options;
    this.#lastTicks = ticks;
    const timestamp = (this.#offset + ticks) % 2 ** 32;
    for (const packet of frame.packets) {
      this.#sequence = (this.#sequence + 1) & 0xffff;
      packet.header.sequenceNumber = this.#sequence;
      packet.header.timestamp = timestamp < 0 ? timestamp + 2 ** 32 : timestamp;
      // The packet is copied before this returns.
      void sender.sendRtp(packet).catch(() => {});
      stats.bytesOut += packet.payload.length;
    }
    stats.framesOut++;
    reportTime(sender, wallMs(ticks / packets.clockRate * 1e6));
  }
}

/** Seconds from 1900, where NTP begins, to 1970. */
const NTP_EPOCH_S = 2_208_988_800;

/**
 * Sets the wall time that the next sender report gives to the last packet. werift uses the time of sending: audio that took
 * longer to arrive would be out of sync.
 */
function reportTime(sender: RTCRtpSender, wallMs: number): void {
  const seconds = wallMs / 1000 + NTP_EPOCH_S;
  const whole = Math.floor(seconds);
  const fraction = Math.floor((seconds - whole) * 2 ** 32);
  (sender as unknown as { ntpTimestamp: bigint }).ntpTimestamp = (BigInt(whole) << 32n) |
    BigInt(fraction);
}
