/**
 * The playlist of one rendition in the bucket. It is written after each segment, and read again when an archive goes on.
 *
 * @module
 */
import { mediaPlaylist, type PlaylistSegment } from "../playlist.ts";

export class StoredPlaylist {
  segments: PlaylistSegment[] = [];
  #sequence = 0;
  #discontinuities = 0;

  /** Reads what {@link text} wrote. It leaves out what it does not understand. */
  static parse(text: string): StoredPlaylist {
    const list = new StoredPlaylist();
    let [initUri, wallMs, durationUs, discontinuity] = ["", 0, 0, false];
    for (const line of text.split(/\r?\n/)) {
      const value = line.slice(line.indexOf(":") + 1);
      if (line.startsWith("#EXT-X-MEDIA-SEQUENCE:")) list.#sequence = Number(value) || 0;
      else if (line.startsWith("#EXT-X-DISCONTINUITY-SEQUENCE:")) {
        list.#discontinuities = Number(value) || 0;
      } else if (line === "#EXT-X-DISCONTINUITY") discontinuity = true;
      else if (line.startsWith("#EXT-X-MAP:")) initUri = /URI="([^"]+)"/.exec(line)?.[1] ?? "";
      else if (line.startsWith("#EXT-X-PROGRAM-DATE-TIME:")) wallMs = Date.parse(value) || 0;
      else if (line.startsWith("#EXTINF:")) durationUs = Math.round(parseFloat(value) * 1e6);
      else if (line !== "" && !line.startsWith("#") && durationUs > 0) {
        list.segments.push({ uri: line, durationUs, wallMs, initUri, discontinuity });
        [durationUs, discontinuity] = [0, false];
      }
    }
    return list;
  }

  add(segment: PlaylistSegment): void {
    this.segments.push(segment);
  }

  /** Removes the segments that began before a time. @returns Whether there were any. */
  forget(beforeMs: number): boolean {
    const count = this.segments.findIndex(({ wallMs }) => wallMs >= beforeMs);
    const gone = this.segments.splice(0, count < 0 ? this.segments.length : count);
    this.#sequence += gone.length;
    this.#discontinuities += gone.filter(({ discontinuity }) => discontinuity).length;
    return gone.length > 0;
  }

  text(ended: boolean): string {
    const longestUs = Math.max(1e6, ...this.segments.map(({ durationUs }) => durationUs));
    return mediaPlaylist({
      targetS: Math.round(longestUs / 1e6),
      sequence: this.#sequence,
      discontinuitySequence: this.#discontinuities,
      segments: this.segments,
      ended,
    });
  }
}
