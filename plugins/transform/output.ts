import type { PluginContext } from "../plugin.ts";
import { BroadcastWriter, firstGroupAt } from "../../media/broadcast/broadcast_writer.ts";
import { CATALOG_TRACK, PRIORITY } from "../../media/hang/catalog.ts";
import { encodeLegacyFrame } from "../../media/hang/legacy_frame.ts";
import { catalogText } from "../../media/hang/write_catalog.ts";
import type { Rendition } from "../../media/rendition.ts";

/** One frame of the output. */
export interface OutFrame {
  readonly timestampUs: number;
  /** Whether it begins a group. */
  readonly opens: boolean;
  /** Whether its group ends with it. */
  readonly endsGroup?: boolean;
  /** The codec's bytes. */
  readonly payload: Uint8Array;
}

/** The broadcast that a transform makes. It is announced with its first catalog, and withdrawn on disposal. */
export class TransformOutput implements Disposable {
  readonly #ctx: Pick<PluginContext, "client" | "stats" | "clock">;
  readonly #path: string;
  readonly #groups = new Map<string, number>();
  readonly #firstGroup: number;
  #writer: BroadcastWriter | undefined;
  #catalog: string | undefined;

  constructor(ctx: Pick<PluginContext, "client" | "stats" | "clock">, path: string) {
    this.#ctx = ctx;
    this.#path = path;
    this.#firstGroup = firstGroupAt(ctx.clock.wallMs());
  }

  /** Whether it is announced. */
  get live(): boolean {
    return this.#writer !== undefined;
  }

  /**
   * Publishes the catalog of the broadcast from now on.
   * @param extra Further sections of the catalog.
   */
  describe(renditions: readonly Rendition[], extra: Readonly<Record<string, unknown>> = {}): void {
    const text = catalogText(renditions, extra);
    // Publishing it again unchanged would make players start over.
    if (text === this.#catalog) return;
    this.#catalog = text;
    const writer = this.#announced();
    for (const { name, kind } of renditions) writer.begin(name, PRIORITY[kind]);
    const timestampUs = Math.round(this.#ctx.clock.wallMs() * 1000);
    writer.write({
      ...{ track: CATALOG_TRACK, group: this.#nextGroup(CATALOG_TRACK), keyframe: true },
      ...{ endsGroup: true, timestampUs, payload: new TextEncoder().encode(text), renditions },
    });
  }

  /** Adds a frame of a rendition. A frame before the first catalog is left out. */
  frame(track: string, frame: OutFrame): void {
    const { timestampUs, payload, opens } = frame;
    if (timestampUs >= 0) {
      this.raw(track, { ...frame, payload: encodeLegacyFrame(timestampUs, payload), opens });
    }
  }

  /** Adds a frame with its bytes as they are, for tracks that are no media of the catalog. */
  raw(track: string, frame: OutFrame & { readonly payload: Uint8Array<ArrayBuffer> }): void {
    if (this.#writer === undefined) return;
    const { timestampUs, opens, endsGroup = false, payload } = frame;
    const group = opens ? this.#nextGroup(track) : this.#groups.get(track);
    if (group === undefined) return;
    this.#writer.write({ track, group, keyframe: opens, endsGroup, timestampUs, payload });
    const { stats } = this.#ctx;
    stats.framesOut++;
    stats.bytesOut += payload.length;
  }

  /** Makes a track before its first frame. */
  begin(track: string): void {
    this.#announced().begin(track);
  }

  [Symbol.dispose](): void {
    this.#writer?.withdraw();
    this.#writer = undefined;
  }

  #announced(): BroadcastWriter {
    return this.#writer ??= new BroadcastWriter(this.#ctx.client.publish(this.#path));
  }

  #nextGroup(track: string): number {
    const group = (this.#groups.get(track) ?? this.#firstGroup - 1) + 1;
    this.#groups.set(track, group);
    return group;
  }
}
