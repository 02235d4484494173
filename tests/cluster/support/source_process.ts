import { fromFileUrl } from "../../../tools/file_url.ts";
import { killed } from "../../support/borrowed.ts";
import { type Program, start } from "../../support/program.ts";
import { FRAMES_PER_SECOND, GROUP_FRAMES, type Numbered, type SourceOptions } from "./source.ts";

const PROGRAM = fromFileUrl(new URL("./source_program.ts", import.meta.url));

/** A `Source` as a process of its own. Killed when it goes out of scope. */
export class SourceProcess implements AsyncDisposable {
  readonly path: string;
  readonly #epochMs: number;
  readonly #program: Program;

  constructor(
    url: string,
    { path, tracks, epochMs }: Required<Pick<SourceOptions, "path" | "tracks" | "epochMs">>,
  ) {
    this.path = path;
    this.#epochMs = epochMs;
    this.#program = start([url, path, String(epochMs), ...tracks], { script: PROGRAM });
  }

  /** One of its tracks; how far it is, the clock says. */
  track(name: string): Numbered {
    const epochMs = this.#epochMs;
    return {
      path: this.path,
      track: name,
      get newest() {
        const frames = Math.floor((Date.now() - epochMs) * FRAMES_PER_SECOND / 1000);
        return Math.floor(frames / GROUP_FRAMES) - 1;
      },
    };
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    await killed(this.#program.process);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}
