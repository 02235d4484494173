/// <reference lib="dom" />
import { useEffect, useRef } from "preact/hooks";

const LOOK_MS = 80;
/** What shows as silence, in decibels below full scale. */
const FLOOR_DB = -60;

/** How loud a stream is. */
export function LevelMeter({ stream }: { readonly stream: MediaStream }) {
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (stream.getAudioTracks().length === 0) return;
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 1024 });
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let shown = 0;
    const timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
      const now = Math.max(0, 1 - 20 * Math.log10(Math.max(peak, 1e-6)) / FLOOR_DB);
      shown = Math.max(now, shown * 0.85);
      const percent = Math.round(100 * Math.min(1, shown));
      bar.current?.style.setProperty("--level", `${percent}%`);
      bar.current?.setAttribute("aria-valuenow", String(percent));
    }, LOOK_MS);
    return () => {
      clearInterval(timer);
      void context.close();
    };
  }, [stream]);
  return (
    <div
      id="level"
      class="meter"
      role="meter"
      aria-label="Sound level"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={0}
      style="--level:0%"
      ref={bar}
    >
      <i />
    </div>
  );
}
