/// <reference lib="dom" />
/** The life of a broadcast in the publish view: source, publication, figures. */
import { useEffect, useRef, useState } from "preact/hooks";
import { QumoError, reasonOf } from "../../base/errors.ts";
import type { ClientStatus } from "../../client/reconnect.ts";
import {
  type CaptureSource,
  openSource,
  type SourceKind,
  SourceProblem,
} from "./capture/capture_source.ts";
import { Publication, type PublicationFigures } from "./publication.ts";
import {
  FRAMES_PER_SECOND,
  type PublishSettings,
  storedSettings,
  storeSettings,
  widthOf,
} from "./publish_settings.ts";
import type { Phase } from "./publish_state.ts";
import { pageAccess } from "../connect/page_access.ts";
import { relaySaid } from "../connect/relay_said.ts";

const LOOK_MS = 1000;

export interface Publisher {
  readonly settings: PublishSettings;
  readonly change: (change: Partial<PublishSettings>) => void;
  readonly phase: Phase;
  /** What is shown as preview. */
  readonly stream: MediaStream | undefined;
  /** Something the source lacks, or what was given up, as a sentence. */
  readonly note: string | undefined;
  /** The source failed where the test pattern would not. */
  readonly offerPattern: boolean;
  readonly version: string | undefined;
  readonly transport: Publication["transport"] | undefined;
  readonly figures: PublicationFigures | undefined;
  readonly rates: { readonly bits: number; readonly framesPerSecond: number };
  /** Opens the source if need be, and goes live. */
  readonly start: (kind?: SourceKind) => void;
  readonly stop: () => void;
  /** Opens the source, or closes it. */
  readonly preview: () => void;
}

const NO_RATES = { bits: 0, framesPerSecond: 0 };

export function usePublisher(): Publisher {
  const [settings, setSettings] = useState(storedSettings);
  const [phase, setPhase] = useState<Phase>({ kind: "idle" });
  const [source, setSource] = useState<CaptureSource>();
  const [offerPattern, setOfferPattern] = useState(false);
  const [dropped, setDropped] = useState<string>();
  const [figures, setFigures] = useState<PublicationFigures>();
  const [rates, setRates] = useState(NO_RATES);
  const publication = useRef<Publication | undefined>(undefined);
  const status = useRef<ClientStatus | undefined>(undefined);
  /** Counts starts: a result that arrives after the next start is dropped. */
  const turn = useRef(0);

  const endSource = () =>
    setSource((before) => {
      before?.stop();
      return undefined;
    });
  const end = () => {
    turn.current++;
    const before = publication.current;
    publication.current = undefined;
    void before?.stop();
    setRates(NO_RATES);
    setFigures(undefined);
    setDropped(undefined);
  };
  const fail = (error: unknown) => {
    end();
    endSource();
    setOfferPattern(error instanceof SourceProblem);
    setPhase({ kind: "failed", reason: sentenceOf(error) });
  };

  const open = async (kind: SourceKind, mine: number): Promise<CaptureSource | undefined> => {
    setPhase({ kind: "opening" });
    const { sound, camera, microphone, lines } = settings;
    const size = { width: widthOf(lines), height: lines, framesPerSecond: FRAMES_PER_SECOND };
    const opened = await openSource({ kind, sound, camera, microphone, ...size });
    if (mine !== turn.current) {
      opened.stop();
      return undefined;
    }
    for (const track of opened.stream.getTracks()) {
      track.addEventListener("ended", () => {
        if (mine !== turn.current) return;
        fail(new SourceProblem(ENDED));
      });
    }
    setSource(opened);
    return opened;
  };

  const start = async (kind: SourceKind = settings.kind) => {
    if (kind !== settings.kind) change({ kind });
    const previewed = kind === settings.kind ? source : undefined;
    const mine = previewed === undefined ? ++turn.current : turn.current;
    setOfferPattern(false);
    storeSettings({ ...settings, kind });
    try {
      const opened = previewed ?? await open(kind, mine);
      if (opened === undefined) return;
      setPhase({ kind: "connecting" });
      status.current = undefined;
      const made = await Publication.start({
        access: pageAccess(),
        name: settings.name,
        stream: opened.stream,
        framesPerSecond: FRAMES_PER_SECOND,
        bitrate: settings.bitrate,
        several: settings.several,
        onNote: (note) => mine === turn.current && setDropped(note),
        onStatus: (next) => status.current = next,
        onFailed: (reason) => mine === turn.current && fail(new Error(reason)),
      });
      if (mine !== turn.current) return void made.stop();
      publication.current = made;
      setPhase({ kind: "live", status: status.current, read: false });
    } catch (error) {
      const told = await explained(error);
      if (mine === turn.current) fail(told);
    }
  };
  const stop = () => {
    end();
    endSource();
    setPhase({ kind: "idle" });
  };
  const preview = async () => {
    if (source !== undefined) return stop();
    const mine = ++turn.current;
    setOfferPattern(false);
    try {
      if (await open(settings.kind, mine) !== undefined) setPhase({ kind: "idle" });
    } catch (error) {
      if (mine === turn.current) fail(error);
    }
  };
  const change = (changed: Partial<PublishSettings>) => {
    setSettings((before) => ({ ...before, ...changed }));
    // Another source, size or sound is another stream; a name, a bitrate or more qualities are not.
    if (Object.keys(changed).some((key) => !["name", "bitrate", "several"].includes(key))) {
      turn.current++;
      endSource();
    }
    setOfferPattern(false);
    setPhase({ kind: "idle" });
  };

  useEffect(() => {
    if (phase.kind !== "live") return;
    let before: { readonly atMs: number; readonly figures: PublicationFigures } | undefined;
    const timer = setInterval(() => {
      const running = publication.current;
      if (running === undefined) return;
      const now = { atMs: performance.now(), figures: running.figures };
      if (before !== undefined) setRates(ratesOf(before, now));
      before = now;
      setFigures(now.figures);
      if (status.current?.state === "closed") {
        const { reason } = status.current;
        return fail(
          new Error(
            `The session with the relay is over (${reason || "no reason given"}). Go live again.`,
          ),
        );
      }
      setPhase({ kind: "live", status: status.current, read: now.figures.read });
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [phase.kind]);

  useEffect(() => {
    // Viewers hear at once that it is over, instead of waiting for somebody who has gone.
    const leave = () => void publication.current?.stop();
    addEventListener("pagehide", leave);
    return () => removeEventListener("pagehide", leave);
  }, []);

  return {
    settings,
    change,
    phase,
    stream: source?.stream,
    note: dropped ?? source?.note,
    offerPattern,
    version: phase.kind === "live" ? publication.current?.version : undefined,
    transport: phase.kind === "live" ? publication.current?.transport : undefined,
    figures,
    rates,
    start: (kind) => void start(kind),
    stop,
    preview: () => void preview(),
  };
}

const ENDED =
  "The source has ended: sharing was stopped, or the device was unplugged. Go live again.";

/** Browsers do not say why a session failed. The relay does, over HTTP. */
async function explained(error: unknown): Promise<unknown> {
  if (!(error instanceof QumoError)) return error;
  const access = pageAccess();
  const said = relaySaid(await access.state(), access.root);
  return said === undefined ? error : new Error(said.text);
}

/** The libraries' own messages are sentences without a full stop. */
function sentenceOf(error: unknown): string {
  const message = reasonOf(error);
  return /[.!?…]$/.test(message) ? message : `${message}.`;
}

function ratesOf(
  before: { readonly atMs: number; readonly figures: PublicationFigures },
  now: { readonly atMs: number; readonly figures: PublicationFigures },
) {
  const seconds = (now.atMs - before.atMs) / 1000;
  return {
    bits: 8 * (now.figures.bytes - before.figures.bytes) / seconds,
    framesPerSecond: (now.figures.videoFrames - before.figures.videoFrames) / seconds,
  };
}
