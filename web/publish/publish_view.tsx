/// <reference lib="dom" />
import { useEffect, useRef } from "preact/hooks";
import { CopyButton } from "../parts/copy_button.tsx";
import { useDevices } from "./capture/devices.ts";
import { bitRate, codecName } from "../parts/format.ts";
import { LevelMeter } from "./capture/level_meter.tsx";
import { FallbackNote } from "../connect/fallback_note.tsx";
import { pageAccess } from "../connect/page_access.ts";
import { browserProblem } from "../connect/browser_problem.ts";
import { useCertificate } from "../connect/use_certificate.ts";
import { relaySaid } from "../connect/relay_said.ts";
import { PublishForm } from "./publish_form.tsx";
import { nameProblem, publishSaid } from "./publish_state.ts";
import { addressOf } from "../page_route.ts";
import { usePublisher } from "./use_publisher.ts";
import type { ViewProps } from "../parts/view_props.ts";

/** Sends a camera, a screen, a microphone or a test pattern. */
export function PublishView({ go, announced }: ViewProps) {
  const publisher = usePublisher();
  const { settings, phase, stream, figures, rates } = publisher;
  const devices = useDevices(stream);
  const busy = phase.kind === "opening" || phase.kind === "connecting";
  const live = phase.kind === "live";
  const wrongName = live || busy ? undefined : nameProblem(settings.name, announced.live ?? []);
  const relay = announced.state === "asking"
    ? undefined
    : relaySaid(announced.state, pageAccess().root);
  const said = publishSaid(phase, settings.name, relay);
  const sending = live && said.kind === "live";
  const certificate = useCertificate(publisher.transport);
  const unwelcome = relay?.kind === "problem"
    ? relay.text
    : announced.mayPublish
    ? undefined
    : "You may watch here, but not publish: that takes another token.";
  const problem = browserProblem() ?? (live || busy ? undefined : unwelcome);
  const link = addressOf(location.href, { name: settings.name, view: "watch" });
  return (
    <div class="columns even">
      <section id="publish-stage" class="card" aria-label="Preview">
        <div id="preview">
          {live && (sending
            ? <span class="pill" data-state="live">Live</span>
            : <span class="pill" data-state="down">Not live now</span>)}
          {stream !== undefined ? <Preview stream={stream} /> : (
            <p>
              {settings.kind === "pattern"
                ? "The test pattern shows here."
                : "Your picture shows here."}
            </p>
          )}
        </div>
        <div class="below">
          <p id="publish-state" role="status" data-kind={said.kind}>{problem ?? said.text}</p>
          {publisher.transport === "websocket" && (
            <FallbackNote id="publish-fallback" certificate={certificate?.kind} />
          )}
          {publisher.note !== undefined && <p class="soft" role="status">{publisher.note}</p>}
          {stream !== undefined && stream.getAudioTracks().length > 0 && (
            <div class="level">
              Sound <LevelMeter stream={stream} />
            </div>
          )}
          <dl class="facts" id="publish-facts">
            <Fact name="Version" value={publisher.version ?? "–"} />
            <Fact
              name="Video"
              value={figures?.codec === undefined
                ? "–"
                : `${codecName(figures.codec)} ${figures.width} × ${figures.height}${
                  also(figures.qualities)
                }`}
            />
            <Fact
              name="Frames"
              value={sending ? `${Math.round(rates.framesPerSecond)} per second` : "–"}
            />
            <Fact name="Bitrate" value={sending ? bitRate(rates.bits) : "–"} />
          </dl>
        </div>
      </section>
      <section class="card form" aria-labelledby="publish-title">
        <h2 id="publish-title">Go live from this browser</h2>
        <PublishForm
          settings={settings}
          devices={devices}
          onChange={publisher.change}
          nameProblem={wrongName}
          locked={live || busy}
        />
        <div class="actions">
          {live || busy
            ? (
              <button id="stop" type="button" class="primary stop" onClick={publisher.stop}>
                Stop
              </button>
            )
            : (
              <button
                id="start"
                type="button"
                class="primary"
                disabled={problem !== undefined || wrongName !== undefined}
                onClick={() => publisher.start()}
              >
                Go live
              </button>
            )}
          {!live && !busy && (
            <button
              id="show-preview"
              type="button"
              aria-pressed={stream !== undefined}
              onClick={publisher.preview}
            >
              {stream === undefined ? "Preview" : "End preview"}
            </button>
          )}
          {publisher.offerPattern && (
            <button
              id="use-pattern"
              type="button"
              onClick={() => publisher.start("pattern")}
            >
              Use the test pattern
            </button>
          )}
          {live && (
            <>
              <a
                class="button"
                id="watch-it"
                href={link}
                onClick={(event) => {
                  event.preventDefault();
                  go({ name: settings.name, view: "watch" });
                }}
              >
                Watch it
              </a>
              <CopyButton text={link} label="Copy the link for viewers">Copy link</CopyButton>
            </>
          )}
        </div>
      </section>
    </div>
  );
}

/** Smaller qualities, behind the best one. */
const also = (qualities: readonly number[]) =>
  qualities.slice(1).map((lines) => `, ${lines}p`).join("");

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Preview({ stream }: { readonly stream: MediaStream }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    video.current!.srcObject = stream;
  }, [stream]);
  if (stream.getVideoTracks().length === 0) return <p>Sound only: there is no picture.</p>;
  return <video ref={video} autoPlay muted playsInline aria-label="Your own picture" />;
}
