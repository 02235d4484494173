/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import { inSentence } from "../../base/visible_text.ts";
import { MOST_QUALITIES } from "./adaptive.ts";
import { CopyButton } from "../parts/copy_button.tsx";
import { bitRate } from "../parts/format.ts";
import { Icon } from "../parts/icons.tsx";
import { recall, remember } from "../parts/prefs.ts";
import { addressOf } from "../page_route.ts";
import type { Playing } from "./use_player.ts";

interface BarProps extends Playing {
  readonly name: string | undefined;
  readonly paused: boolean;
  readonly onPaused: (paused: boolean) => void;
  /** What fills the screen when asked to. */
  readonly stage: { readonly current: HTMLElement | null };
}

/** The controls below the picture. */
export function PlayerBar({ element, module, snapshot, name, paused, onPaused, stage }: BarProps) {
  // Browsers let a page make sound only after the user has done something: it begins silent every time.
  const [muted, setMuted] = useState(true);
  const [volume, setVolume] = useState(() => recall<number>("volume", 0.8));
  const [quality, setQuality] = useState("");
  useEffect(() => setQuality(""), [name]);
  useEffect(() => {
    if (element !== undefined) {
      module?.chooseRendition(element, quality === "" ? undefined : quality);
    }
  }, [element, quality]);
  useEffect(() => {
    if (element === undefined) return;
    element.muted = muted;
    if (muted) return;
    // Unmuting brings the player's last volume back first.
    const timer = setTimeout(() => element.volume = volume);
    return () => clearTimeout(timer);
  }, [element, muted, volume]);

  const renditions = snapshot?.renditions ?? [];
  const shown = snapshot?.video;
  // Sign and word say how it is; what a click does is told by the title.
  const sound = muted ? "Sound off" : "Sound on";
  const link = addressOf(location.href, name === undefined ? {} : { name, view: "watch" });
  return (
    <div class="bar" role="group" aria-label="Player">
      <button
        id="pause"
        type="button"
        class="icon"
        aria-label={paused ? "Play" : "Pause"}
        onClick={() => onPaused(!paused)}
      >
        <Icon name={paused ? "play" : "pause"} />
      </button>
      <button
        id="mute"
        type="button"
        class={muted ? "loud" : ""}
        aria-pressed={!muted}
        aria-label="Sound"
        title={muted ? "Turn the sound on" : "Turn the sound off"}
        onClick={() => setMuted(!muted)}
      >
        <Icon name={muted ? "silent" : "sound"} /> <span aria-hidden="true">{sound}</span>
      </button>
      <input
        id="volume"
        type="range"
        min={0.05}
        max={1}
        step={0.05}
        value={volume}
        aria-label="Volume"
        aria-valuetext={`${Math.round(volume * 100)} percent`}
        onInput={({ currentTarget }) => {
          setVolume(currentTarget.valueAsNumber);
          remember("volume", currentTarget.valueAsNumber);
          setMuted(false);
        }}
      />
      <span class="gap" />
      {renditions.length > 1 && (
        <label class="inline">
          <span class="caption">Quality</span>
          <select
            id="quality"
            aria-label="Quality"
            value={quality}
            onChange={({ currentTarget }) => setQuality(currentTarget.value)}
          >
            <option value="">
              {shown?.config.codedHeight === undefined || quality !== ""
                ? "Automatic"
                : `Automatic (${shown.config.codedHeight}p)`}
            </option>
            {renditions.slice(0, MOST_QUALITIES).map(({ track, config }) => (
              <option key={track} value={track}>
                {config.codedHeight === undefined ? inSentence(track) : `${config.codedHeight}p`}
                {config.bitrate === undefined ? "" : `, ${bitRate(config.bitrate)}`}
              </option>
            ))}
          </select>
        </label>
      )}
      <CopyButton id="copy-link" text={link} label="Copy the link to this broadcast">
        <Icon name="link" /> <span class="wide-only">Copy link</span>
      </CopyButton>
      <button
        id="full"
        type="button"
        class="icon"
        aria-label="Full screen"
        onClick={() => {
          if (document.fullscreenElement !== null) void document.exitFullscreen();
          else void stage.current?.requestFullscreen();
        }}
      >
        <Icon name="full" />
      </button>
    </div>
  );
}
