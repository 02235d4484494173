/// <reference lib="dom" />
import { useEffect, useRef, useState } from "preact/hooks";
import { inSentence } from "../../base/visible_text.ts";
import { USUAL_TRACKS } from "./broadcast_kind.ts";
import type { SeenFrame } from "./broadcast_probe.ts";
import { bytes as sizeText } from "../parts/format.ts";
import { frameText, MOST_BYTES, type Shape } from "./frame_text.ts";
import { Name } from "../parts/name.tsx";
import type { Looked } from "./use_broadcast_kind.ts";

const MOST_FRAMES = 40;
/** Frames may come by the hundred; people read more slowly. */
const DRAW_MS = 250;

/** Shows an unplayable broadcast: its tracks, and the frames of one of them as they come. */
export function DataView({ name, probe, kind }: Looked) {
  const [chosen, setChosen] = useState<string>();
  const [typed, setTyped] = useState("");
  useEffect(() => setChosen(undefined), [name]);
  const track = chosen ??
    kind.tracks.find(({ name }) => USUAL_TRACKS.includes(name))?.name ?? kind.tracks[0]?.name;
  return (
    <section id="data" class="card" aria-labelledby="data-title">
      <h2 id="data-title">What this broadcast is</h2>
      <p id="data-kind">{kind.text}</p>
      {kind.tracks.length > 0 && (
        <ul id="data-tracks" aria-label="Tracks">
          {kind.tracks.map(({ name, about }) => (
            <li key={name}>
              <button
                type="button"
                aria-pressed={name === track}
                onClick={() => setChosen(name)}
              >
                <Name of={name} />
              </button>
              <span class="soft">{inSentence(about)}</span>
            </li>
          ))}
        </ul>
      )}
      <form
        class="actions"
        onSubmit={(event) => {
          event.preventDefault();
          if (typed !== "") setChosen(typed);
        }}
      >
        <label class="inline" for="data-track">Another track</label>
        <input
          id="data-track"
          type="text"
          autocomplete="off"
          spellcheck={false}
          value={typed}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
        />
        <button type="submit">Look at it</button>
      </form>
      {track !== undefined && <Frames key={track} {...{ probe, track }} />}
    </section>
  );
}

/** The newest frames of a track, the newest first. */
function Frames({ probe, track }: Pick<Looked, "probe"> & { readonly track: string }) {
  const [frames, setFrames] = useState<readonly SeenFrame[]>([]);
  const [ended, setEnded] = useState<string>();
  const [shape, setShape] = useState<Shape>("auto");
  const [held, setHeld] = useState(false);
  const came = useRef<SeenFrame[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    const take = (frame: SeenFrame) => {
      came.current = [frame, ...came.current.slice(0, MOST_FRAMES - 1)];
    };
    probe.read(track, take, stop.signal).then(
      () => stop.signal.aborted || setEnded("The track has ended."),
      () => stop.signal.aborted || setEnded("There is no such track, or it was lost."),
    );
    return () => stop.abort();
  }, [probe, track]);
  useEffect(() => {
    if (held) return;
    const timer = setInterval(() => setFrames(came.current), DRAW_MS);
    return () => clearInterval(timer);
  }, [held]);
  return (
    <>
      <div class="actions" id="frames-bar">
        <h3>
          Frames of <Name of={track} />
        </h3>
        <label class="inline">
          Shown as
          <select
            id="frames-shape"
            value={shape}
            onChange={({ currentTarget }) => setShape(currentTarget.value as Shape)}
          >
            <option value="auto">what they are</option>
            <option value="text">text</option>
            <option value="hex">bytes</option>
          </select>
        </label>
        <button type="button" aria-pressed={held} onClick={() => setHeld(!held)}>
          {held ? "Go on" : "Hold"}
        </button>
      </div>
      <p id="frames-state" class="soft" role="status">
        {ended ?? (frames.length === 0 ? "Waiting for the first frame …" : "")}
      </p>
      {frames.length > 0 && (
        <div id="frames" tabIndex={0} role="group" aria-label="Frames, the newest first">
          {frames.map((frame) => (
            <div class="frame" key={`${frame.group} ${frame.index}`}>
              <p class="soft">
                {`group ${frame.group}, frame ${frame.index}, ${sizeText(frame.size)}`}
                {frame.size > MOST_BYTES && `, of which the first ${MOST_BYTES}`}
              </p>
              <pre dir="auto">{frameText(frame.bytes, shape)}</pre>
            </div>
          ))}
        </div>
      )}
    </>
  );
}
