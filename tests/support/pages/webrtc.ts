/** Plugins that answer WHEP and WHIP, at a relay in memory, behind a real HTTP port. For tests only. */
import { PluginRoutes } from "../../../plugins/host/routes.ts";
import type { Plugin, PluginContext, RightsHeld } from "../../../plugins/plugin.ts";
import { MediaProcess } from "../../../plugins/ffmpeg/media_process.ts";
import { LIVE_FMP4 } from "../../../plugins/ffmpeg/output.ts";
import { MediaPublisher } from "../../../media/broadcast/media_publisher.ts";
import { MemoryRelay, type PluginRun, runPlugin } from "../plugin_run.ts";

/** The peers of tests are on this machine, which may be busy, so they get more time for their first check. */
export const LOCAL = { addresses: ["127.0.0.1"], ice_timeout: "1m" };

/** Rights that do not end. */
export const HELD: RightsHeld = { lost: new AbortController().signal, end() {} };

export class WebRtcUnderTest implements AsyncDisposable {
  readonly relay = new MemoryRelay();
  readonly routes = new PluginRoutes();
  readonly #runs: PluginRun[] = [];
  readonly #http = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request, { remoteAddr }) =>
      await this.routes.answer(request, {
        remote: remoteAddr.hostname,
        network: this.network(request, remoteAddr.hostname),
      }) ??
        new Response("not found\n", { status: 404 }),
  );
  /** Whom a request counts for. */
  network = (_request: Request, remote: string): string => remote;
  /** Failures of handlers. */
  readonly failed: string[] = [];

  url(path: string): string {
    return `http://127.0.0.1:${this.#http.addr.port}${path}`;
  }

  async start(plugin: Plugin, config: unknown, ctx: Partial<PluginContext> = {}) {
    const http = this.routes.of("test", (reason) => void this.failed.push(reason));
    const run = await runPlugin(plugin, this.relay, config, { ctx: { http, ...ctx } });
    this.#runs.push(run);
    return run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const run of this.#runs) await run.end();
    await this.#http.shutdown();
    await this.relay[Symbol.asyncDispose]();
  }
}

/** ffmpeg's test picture, and a tone if there is a codec for it, published until disposed of. */
export async function testPicture(
  relay: MemoryRelay,
  path: string,
  codecs: { readonly video?: readonly string[]; readonly audio?: readonly string[] },
): Promise<AsyncDisposable> {
  const { video, audio } = codecs;
  const client = await relay.client();
  const process = MediaProcess.start({
    args: [
      ...(video ? ["-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=30"] : []),
      ...(audio ? ["-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"] : []),
      ...(video ? ["-c:v", ...video, "-pix_fmt", "yuv420p"] : []),
      ...(audio ? ["-c:a", ...audio] : []),
      ...LIVE_FMP4,
    ],
  });
  const publisher = new MediaPublisher({ client, path });
  const live = Promise.withResolvers<void>();
  const streaming = publisher.stream(process.stdout, { onlive: live.resolve });
  streaming.catch(live.reject);
  await live.promise;
  return {
    async [Symbol.asyncDispose]() {
      await process.close();
      await streaming.catch(() => {});
      publisher.withdraw();
      await client.close();
    },
  };
}

export const H264 = [
  ...["libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "high"],
  ...["-g", "60"],
];
