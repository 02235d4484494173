/// <reference lib="dom" />
import { Chart, type Line } from "../dashboard/chart.tsx";
import { CopyButton } from "../parts/copy_button.tsx";
import { bitRate, codecName, millis } from "../parts/format.ts";
import { Name } from "../parts/name.tsx";
import { FallbackNote } from "../connect/fallback_note.tsx";
import { pageAccess } from "../connect/page_access.ts";
import { useCertificate } from "../connect/use_certificate.ts";
import type { Playing } from "./use_player.ts";

/** How late the picture is, for the last minute. */
export function LatencyGraph({ snapshot, trace }: Playing) {
  const measured = snapshot?.latencyMs !== undefined;
  // Not every relay measures it.
  const roundTrip = trace.roundTripMs.some((ms) => ms !== null);
  const lines: readonly Line[] = [
    { name: measured ? "camera to screen" : "arrival to screen", color: "--line-1" },
    { name: "buffer", color: "--line-2" },
    ...(roundTrip ? [{ name: "round trip", color: "--line-3" }] : []),
  ];
  return (
    <section class="card" aria-label="Latency">
      <Chart
        key={lines.length}
        id="latency"
        title="Latency"
        lines={lines}
        data={[
          [...trace.at],
          [...trace.latencyMs],
          [...trace.bufferMs],
          ...(roundTrip ? [[...trace.roundTripMs]] : []),
        ]}
        format={millis}
        spanSeconds={60}
      />
    </section>
  );
}

/** What is being played, in a line. */
export function PlayedLine({ snapshot, rates }: Playing) {
  const { video, version, transport } = snapshot ?? {};
  const certificate = useCertificate(transport);
  const facts = [
    version === undefined ? undefined : `${version} over ${transport}`,
    video?.config.codedHeight === undefined
      ? undefined
      : `${codecName(video.config.codec)} ${video.config.codedWidth} × ${video.config.codedHeight}`,
    rates.videoBits === 0 ? undefined : bitRate(rates.videoBits + rates.audioBits),
  ].filter((fact) => fact !== undefined);
  return (
    <>
      <p id="played" class="soft">{facts.join(" · ")}</p>
      {transport === "WebSocket" && <FallbackNote id="fallback" certificate={certificate?.kind} />}
    </>
  );
}

/** What is being played, and over what. */
export function WatchDetails({ snapshot, rates }: Playing) {
  const certificate = useCertificate(snapshot?.link)?.hash;
  return (
    <section class="card" aria-labelledby="playing-title">
      <h2 id="playing-title">Tracks and connection</h2>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="playing-title">
        <table id="playing-tracks">
          <thead>
            <tr>
              <th scope="col">Track</th>
              <th scope="col">Codec</th>
              <th scope="col">Format</th>
              <th scope="col" class="number">Bitrate</th>
            </tr>
          </thead>
          <tbody>
            <TrackRows snapshot={snapshot} rates={rates} />
          </tbody>
        </table>
      </div>
      <dl class="facts">
        <div>
          <dt>Version</dt>
          <dd id="version">{snapshot?.version ?? "–"}</dd>
        </div>
        <div>
          <dt>Transport</dt>
          <dd id="transport">{snapshot?.transport ?? "–"}</dd>
        </div>
        <div>
          <dt>Relay</dt>
          <dd id="relay">{pageAccess().url.replace(/^https?:\/\/|\/$/g, "")}</dd>
        </div>
        <div class="wide">
          <dt>Certificate SHA-256</dt>
          <dd>
            <code id="certificate">{certificate ?? "–"}</code>
            {certificate !== undefined && (
              <CopyButton
                id="copy-certificate"
                class="quiet"
                text={certificate}
                label="Copy the hash of the certificate"
              />
            )}
          </dd>
        </div>
      </dl>
    </section>
  );
}

function TrackRows({ snapshot, rates }: Pick<Playing, "snapshot" | "rates">) {
  const { video, audio } = snapshot ?? {};
  if (video === undefined && audio === undefined) {
    return (
      <tr>
        <td colSpan={4} class="soft">No track is being played.</td>
      </tr>
    );
  }
  return (
    <>
      {video !== undefined && (
        <tr>
          <th scope="row">
            <Name of={video.track} />
          </th>
          <td title={video.config.codec}>{codecName(video.config.codec)}</td>
          <td>
            {video.config.codedWidth === undefined
              ? "size not told"
              : `${video.config.codedWidth} × ${video.config.codedHeight}`}
            {`, ${Math.round(rates.framesPerSecond)} frames/s`}
          </td>
          <td class="number">{bitRate(rates.videoBits)}</td>
        </tr>
      )}
      {audio !== undefined && (
        <tr>
          <th scope="row">
            <Name of={audio.track} />
          </th>
          <td title={audio.config.codec}>{codecName(audio.config.codec)}</td>
          <td>
            {`${audio.config.sampleRate / 1000} kHz, ${
              CHANNELS[audio.config.numberOfChannels] ??
                `${audio.config.numberOfChannels} channels`
            }`}
          </td>
          <td class="number">
            {rates.audioBits === 0 ? "sound is off" : bitRate(rates.audioBits)}
          </td>
        </tr>
      )}
    </>
  );
}

const CHANNELS: Readonly<Record<number, string>> = { 1: "mono", 2: "stereo" };
