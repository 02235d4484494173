import { MediaError } from "../media_error.ts";
import { decodeLegacyFrame } from "./legacy_frame.ts";
import { Splitter } from "../mp4/splitter.ts";
import type { MediaFrame, Rendition } from "../rendition.ts";

/** Takes the frames of a track out of their container. */
export class FrameOpener {
  readonly #rendition: Rendition;
  #splitter: Splitter | undefined;

  constructor(rendition: Rendition) {
    this.#rendition = rendition;
  }

  /**
   * @param index Place of the payload in its group; the first of a video group is a keyframe.
   * @returns An empty list for a marker; `undefined` when the payload is damaged.
   */
  open(payload: Uint8Array<ArrayBuffer>, group: number, index: number): MediaFrame[] | undefined {
    return this.#rendition.container === "cmaf"
      ? this.#fragment(payload, group, index)
      : this.#legacy(payload, group, index);
  }

  #legacy(payload: Uint8Array<ArrayBuffer>, group: number, index: number) {
    if (payload.length === 0) return [];
    const frame = decodeLegacyFrame(payload);
    if (frame === undefined) return undefined;
    // A time without bytes is a marker: the content stops here.
    if (frame.data.length === 0) return [];
    const keyframe = index === 0 || this.#rendition.kind === "audio";
    return [{ group, index, timestampUs: frame.timestampUs, keyframe, payload: frame.data }];
  }

  #fragment(payload: Uint8Array<ArrayBuffer>, group: number, index: number) {
    const frames: MediaFrame[] = [];
    try {
      const splitter = this.#splitter ??= this.#begin();
      for (const event of splitter.push(payload)) {
        if (event.type !== "sample" || event.data.length === 0) continue;
        const { decodeTimeUs, durationUs, data } = event;
        frames.push({
          group,
          index,
          timestampUs: event.timestampUs,
          keyframe: frames.length === 0 && index === 0 || event.keyframe,
          payload: data.slice(),
          decodeTimeUs,
          durationUs,
        });
      }
      splitter.end();
      return frames;
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      this.#splitter = undefined;
      return undefined;
    }
  }

  #begin(): Splitter {
    const splitter = new Splitter();
    for (const _ of splitter.push(this.#rendition.init!.slice()));
    return splitter;
  }
}
