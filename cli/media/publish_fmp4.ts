import { unlessAborted } from "../../base/bell.ts";
import { visible } from "../../base/visible_text.ts";
import type { ConnectOptions } from "../../client/mod.ts";
import { type MediaEvent } from "../../media/mp4/media_track.ts";
import { HangBroadcast, type HangRecord } from "../../media/hang/hang_broadcast.ts";
import { MediaError } from "../../media/media_error.ts";
import { Pace } from "../../media/pace.ts";
import { Splitter } from "../../media/mp4/splitter.ts";
import { LiveBroadcast } from "./live_broadcast.ts";
import { say } from "../shell/output.ts";
import { mayPublish } from "./may_publish.ts";
import { onShutdownSignal } from "../shell/shutdown.ts";
import { StatusLine } from "../shell/status_line.ts";
import { watchUrl } from "./watch_url.ts";

export interface PublishOptions {
  readonly url: string;
  /** Other nodes of the cluster. Default: none. */
  readonly also?: readonly string[];
  readonly broadcast: string;
  readonly connect: ConnectOptions;
  /** Ends with the first session instead of dialing again. */
  readonly once: boolean;
  /** Audio frames of so many milliseconds make a group; 0 gives each its own. */
  readonly audioGroupMs: number;
  /** The input is no live one: it is sent at its own speed. */
  readonly paced: boolean;
}

/**
 * Publishes fragmented MP4 until it ends or a signal asks for the end, and tells where it can be watched.
 *
 * @param input Read to its end, or left where it is.
 * @returns Whether the input ended, or a signal asked for the end.
 * @throws {QumoError} No connection, or bad media; what came before it has been sent.
 */
export async function publish(
  input: ReadableStream<Uint8Array>,
  { url, also = [], broadcast, connect, once, audioGroupMs, paced }: PublishOptions,
): Promise<"ended" | "stopped"> {
  const over = new AbortController();
  using _signals = onShutdownSignal({
    graceful: () => over.abort(STOPPED),
    immediate: (exitCode) => Deno.exit(exitCode),
  });
  using status = new StatusLine();
  const live = await LiveBroadcast.start({
    ...{ urls: [url, ...also], broadcast, connect, once },
    tell: (line) => status.tell(line),
  });
  live.failed.catch((error) => over.abort(error));
  status.tell(`Publishing ${visible(broadcast)}. ${whereToWatch(url, broadcast)}`);
  void mayPublish(url, broadcast, connect.token).then((may) => {
    if (may === false) status.tell(notAllowed(broadcast));
  });
  const counted = { frames: 0, bytes: 0 };
  status.show(() => figures(counted, live));

  const media = new HangBroadcast({ audioGroupMs });
  const pace = paced ? new Pace() : undefined;
  let bad: MediaError | undefined;
  try {
    for await (const record of recordsOf(input, media, over.signal)) {
      if (pace) await unlessStopped(pace.reach(record.timestampUs), over.signal);
      live.write(record);
      counted.frames++;
      counted.bytes += record.payload.length;
    }
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    bad = error; // what came before it is good, and is sent to its end
  }
  await live.end();
  if (bad) throw bad;
  return over.signal.reason === STOPPED ? "stopped" : "ended";
}

/** Why nothing more is read: a signal asked for the end. */
const STOPPED = Symbol("stopped");

/** Waits for one promise of many. @returns `undefined` when the end was asked for. @throws Why publishing has failed. */
async function unlessStopped<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  try {
    return await unlessAborted(promise, signal);
  } catch (error) {
    if (error === STOPPED) return undefined;
    throw error;
  }
}

const notAllowed = (broadcast: string) =>
  `The relay does not let you publish ${
    visible(broadcast)
  }: it announces this to nobody. Show a token that allows it ` +
  "(--token TOKEN); `qumo-relay token inspect` shows what one allows.";

function whereToWatch(url: string, broadcast: string): string {
  const page = watchUrl(url, broadcast);
  return page === undefined ? "Ctrl-C ends it." : `Watch it at ${page}\nCtrl-C ends it.`;
}

/** The frames of the input, until it ends or a signal asks for the end. @throws {MediaError} @throws {RelayLost} */
async function* recordsOf(
  input: ReadableStream<Uint8Array>,
  media: HangBroadcast,
  signal: AbortSignal,
): AsyncGenerator<HangRecord> {
  const splitter = new Splitter();
  const reader = input.getReader();
  for (;;) {
    const read = await unlessStopped(reader.read(), signal);
    if (read === undefined) break; // asked to end: whatever is incomplete is nobody's fault
    if (read.done) {
      splitter.end();
      break;
    }
    for (const event of splitter.push(read.value)) {
      nameIgnored(event);
      yield* media.take(event);
    }
  }
  yield* media.end();
}

function nameIgnored(event: MediaEvent): void {
  if (event.type !== "init") return;
  for (const { id, reason } of event.ignored) say(`Track ${id} is left out: ${reason}`);
}

/** "0:12  369 frames  812 kbit/s  3 subscriptions  moq-lite-06". */
function figures(counted: { frames: number; bytes: number }, live: LiveBroadcast) {
  let lastBytes = 0;
  return (seconds: number, sinceMs: number) => {
    const kbits = Math.round((counted.bytes - lastBytes) * 8 / sinceMs);
    lastBytes = counted.bytes;
    const time = `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
    const { subscriptions, version = "not connected" } = live;
    return `${time}  ${counted.frames} frames  ${kbits} kbit/s  ${subscriptions} subscriptions  ${version}`;
  };
}
