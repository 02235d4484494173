import { QumoError } from "../../base/errors.ts";

/** ffmpeg or ffprobe is not installed. */
export class FfmpegMissing extends QumoError {
  readonly code = "QUMO_FFMPEG_MISSING";
  constructor(program: string, options?: ErrorOptions) {
    super(
      `Cannot start ${program}: it is not on PATH; install the package "ffmpeg" ` +
        `(Debian and Ubuntu: apt-get install ffmpeg; Fedora: dnf install ffmpeg; macOS: brew install ffmpeg)`,
      options,
    );
  }
}

/** ffmpeg ended before its work was done. */
export class FfmpegFailed extends QumoError {
  readonly code = "QUMO_FFMPEG_FAILED";
  /** @param reason Its last complaints, without credentials; may be empty. */
  constructor(readonly program: string, readonly reason: string, readonly exitCode: number) {
    super(`${program} has ended: ${reason || `exit code ${exitCode}, without a word`}`);
  }
}
