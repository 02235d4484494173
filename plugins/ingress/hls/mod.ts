/** Pulls an HLS playlist. */
import { reasonOf } from "../../../base/errors.ts";
import { type Address, ipBytes, isIpv6, parseAddress } from "../../../config/address.ts";
import { flag, list, url } from "../../../config/fields.ts";
import { hlsInput } from "../../ffmpeg/input.ts";
import type { OptionsOf } from "../../options.ts";
import { plugin } from "../../plugin.ts";
import { BROADCAST, CODECS, ingest, publisherOf, SourceFailed, TIMEOUT } from "../ingest.ts";
import { HlsProxy } from "./proxy.ts";
import { Reachable } from "./reachable.ts";

const OPTIONS = {
  url: url(["http", "https"], "Address of the playlist.", {
    example: "https://example.com/live/index.m3u8",
  }),
  private_hosts: list(
    "hosts, with or without a port",
    (text) => hostOf(text) !== undefined,
    "Hosts at private addresses that the playlist may lead to. It leads to none but public ones otherwise; an address that " +
      "`url` itself has as a number, or as `localhost`, is one of them.",
  ),
  ...BROADCAST,
  loop: flag(false, "Begin again when a playlist that ends has been played."),
  ...CODECS,
  ...TIMEOUT,
};
type Options = OptionsOf<typeof OPTIONS>;

export const hls = plugin({
  kind: "ingress",
  name: "hls",
  summary: "Pulls an HLS playlist, live or recorded, at its own speed.",
  options: OPTIONS,
  async run(ctx, options) {
    const { url, broadcast, loop, video, audio, timeout } = options;
    using publisher = publisherOf(ctx, broadcast);
    const { origin, pathname } = new URL(url);
    const what = `the playlist ${origin}${pathname}`;
    let failure: Error | undefined;
    await using proxy = new HlsProxy({
      url,
      reachable: new Reachable(hostsOf(options)),
      timeoutMs: timeout,
      onfailed(now) {
        const reason = now?.message;
        if (reason !== undefined && reason !== failure?.message) {
          ctx.log.warn("a part of the playlist cannot be had", { reason });
        }
        failure = now;
      },
    });
    ctx.status(`reading ${what}`);
    do {
      failure = undefined;
      try {
        await ingest(ctx, publisher, {
          what,
          input: [
            ...["-rw_timeout", String(timeout * 1000), "-live_start_index", "-2"],
            ...hlsInput(proxy.input),
          ],
          env: proxy.env,
          video,
          audio,
          mpegTs: { aac: true, pulled: true },
          // A segment comes all at once. Viewers get its frames in time.
          paced: true,
          firstFrameMs: timeout + SEGMENT_MS,
        });
      } catch (error) {
        if (!(error instanceof SourceFailed)) throw error;
        const reason = failure === undefined
          ? reasonOf(error).replaceAll(proxy.input, "its address")
          : `Cannot publish ${what}: ${reasonOf(failure)}`;
        throw new SourceFailed(reason, { cause: error });
      }
    } while (loop && !ctx.signal.aborted);
  },
});

/** Longest segment, in milliseconds: nothing may come for so long. */
const SEGMENT_MS = 30_000;

/** "nas", "nas:8080", "10.0.0.7", "[fd00::1]:80" or "fd00::1"; port 0 is every port. */
function hostOf(text: string): Address | undefined {
  const address = parseAddress(text);
  if (address !== undefined) return text.startsWith(":") ? undefined : address;
  return parseAddress(`${isIpv6(text) ? `[${text}]` : text}:0`);
}

/** The hosts of the configuration, and that of `url` where it is an address or `localhost`. */
function hostsOf({ url, privateHosts }: Options): Address[] {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  const own = { hostname: host, port: Number(port || (protocol === "https:" ? 443 : 80)) };
  const named = host === "localhost" || ipBytes(host) !== undefined;
  return [...privateHosts.map((text) => hostOf(text)!), ...(named ? [own] : [])];
}
