/// <reference lib="dom" />
import { useEffect, useRef, useState } from "preact/hooks";
import { askKept } from "./past_groups.ts";
import type { Rewind } from "./rewind.ts";
import type { Playing } from "../use_player.ts";

interface RewindBarProps extends Playing {
  readonly name: string | undefined;
  /** Told when the past is played instead of the present. */
  readonly onRewound: (rewound: boolean) => void;
}

const STEP_MS = 10_000;
const POLL_MS = 4000;

/** Goes back in a broadcast that the relay has recorded. Shows nothing for others. */
export function RewindBar({ name, snapshot, element, onRewound }: RewindBarProps) {
  const [reachMs, setReachMs] = useState(0);
  const [behindMs, setBehindMs] = useState<number>();
  const [problem, setProblem] = useState<string>();
  const canvas = useRef<HTMLCanvasElement | null>(null);
  const rewind = useRef<Rewind | undefined>(undefined);
  /** Counts moves: a move that is no longer the last one does nothing. */
  const moves = useRef(0);
  const video = snapshot?.video;
  const track = video?.config.container?.kind === "cmaf" ? undefined : video?.track;

  const live = () => {
    moves.current++;
    rewind.current?.stop();
    rewind.current = undefined;
    setBehindMs(undefined);
    onRewound(false);
  };

  useEffect(() => {
    setReachMs(0);
    setProblem(undefined);
    if (name === undefined || track === undefined) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const poll = async () => {
      const kept = await askKept(name, track).catch(() => undefined);
      if (over || kept === "never") return;
      setReachMs(kept?.reachMs ?? 0);
      timer = setTimeout(poll, POLL_MS);
    };
    void poll();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [name, track]);
  useEffect(() => live, [name]);
  useEffect(() => {
    // Beside the player's own, in the element that goes to the full screen.
    const made = document.createElement("canvas");
    made.id = "past";
    made.hidden = true;
    canvas.current = made;
    element?.parentElement?.append(made);
    return () => made.remove();
  }, [element]);
  const rewound = behindMs !== undefined;
  useEffect(() => {
    if (canvas.current !== null) canvas.current.hidden = !rewound;
  }, [rewound, element]);

  const goTo = async (ms: number) => {
    if (name === undefined || video === undefined || canvas.current === null) return;
    const behind = Math.min(ms, reachMs);
    const move = ++moves.current;
    rewind.current?.stop();
    setBehindMs(behind);
    setProblem(undefined);
    onRewound(true);
    const { Rewind } = await import("./rewind.ts");
    if (move !== moves.current) return;
    rewind.current = new Rewind({
      broadcast: name,
      video: { track: video.track, ...video.config },
      canvas: canvas.current,
      behindMs: behind,
      onShown: setBehindMs,
      onFailed: (reason) => {
        live();
        setProblem(`What is past cannot be played: ${reason}`);
      },
    });
  };

  return (
    <>
      {(rewound || reachMs >= 1000) && (
        <div class="bar" role="group" aria-label="Look back">
          <button id="back" type="button" onClick={() => void goTo((behindMs ?? 0) + STEP_MS)}>
            Back 10 s
          </button>
          <input
            id="past-position"
            type="range"
            min={-Math.ceil(Math.max(reachMs, behindMs ?? 0) / 1000)}
            max={0}
            step={1}
            value={-Math.round((behindMs ?? 0) / 1000)}
            aria-label="How far back"
            aria-valuetext={`${Math.round((behindMs ?? 0) / 1000)} seconds ago`}
            onChange={({ currentTarget }) => {
              const seconds = -currentTarget.valueAsNumber;
              if (seconds === 0) live();
              else void goTo(seconds * 1000);
            }}
          />
          <span id="behind" role="status">
            {rewound ? `${Math.round(behindMs / 1000)} s ago, without sound` : "live"}
          </span>
          <span class="gap" />
          <button id="to-live" type="button" disabled={!rewound} onClick={live}>Live</button>
        </div>
      )}
      {problem !== undefined && <p role="alert">{problem}</p>}
    </>
  );
}
