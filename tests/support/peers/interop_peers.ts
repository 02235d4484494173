/**
 * The peers of the interop matrix: our client, `@moq/net` in Chromium, and moq-dev's command line, each as a publisher and
 * as a subscriber.
 *
 * @module
 */
import { killed } from "../borrowed.ts";
import { BroadcastWriter } from "../../../media/broadcast/broadcast_writer.ts";
import { type Client, connect, type Subscription } from "../../../client/mod.ts";
import { encode, LIVE, probe } from "../fixtures/ffmpeg_fixtures.ts";
import { HangBroadcast, type HangRecord } from "../../../media/hang/hang_broadcast.ts";
import { Splitter } from "../../../media/mp4/splitter.ts";
import type { RunningChromium } from "../pages/chromium.ts";
import type { InteropPage } from "../pages/interop_page.ts";
import { bundleForPage, loadInPage, type Remote } from "../pages/page_bundle.ts";
import { missingOf } from "../group_run.ts";
import { isPayloadOf, payloadOf } from "../payload.ts";
import { testMedia } from "../media/test_media.ts";

export const TRANSPORTS = ["quic", "webtransport", "websocket"] as const;
export type Transport = typeof TRANSPORTS[number];

/** What is sent: groups with known bytes, or four seconds of H.264 for peers that support only media. */
export type Content = "data" | "media";

/** A relay that runs. */
export interface MatrixRelay {
  readonly name: string;
  readonly port: number;
  /** SHA-256 of its certificate, in hexadecimal. */
  readonly hash: string;
}

/** One end of a cell. */
export interface Site {
  readonly relay: MatrixRelay;
  readonly transport: Transport;
  readonly version: string;
  readonly path: string;
  /** Aborted when the cell is over, whatever still runs. */
  readonly signal: AbortSignal;
}

export interface MatrixPeer {
  readonly name: string;
  readonly contents: readonly Content[];
  /** It uses only WebTransport, whatever the other end uses. */
  readonly browser?: boolean;
  /** Why it cannot be tried in a version; absent when it can. */
  lacks(version: string): string | undefined;
  /** Publishes until disposed, or until the media is over. */
  publish(site: Site, content: Content): Promise<AsyncDisposable>;
  /**
   * Waits for the broadcast and reads it.
   * @returns What came, in a few words. @throws {Error} It is not what was sent.
   */
  receive(site: Site, content: Content): Promise<string>;
}

const GROUPS = 8;
/** A missing group counts as lost after this many later ones. Until then they may have overtaken it. */
const MAX_GROUPS = 40;
const FRAMES = 5;
const EVERY_MS = 60;
/** Long enough that no group is skipped for its age. */
const LATE = { maxLatencyMs: 30_000 } as const;
const MEDIA_SECONDS = 4;
/** The number of pictures, and how many are enough: a late subscriber misses some. */
const PICTURES = 120;
const ENOUGH = 60;

const SCHEMES: Readonly<Record<Transport, string>> = {
  quic: "moqt",
  webtransport: "https",
  websocket: "ws",
};
const urlOf = ({ relay, transport }: Site) => `${SCHEMES[transport]}://127.0.0.1:${relay.port}/`;

let clip: Promise<HangRecord[]> | undefined;

/** The frames of a clip as a hang broadcast. */
async function records(): Promise<HangRecord[]> {
  const codecs = "-an -c:v libx264 -preset ultrafast -tune zerolatency -g 30";
  const recipe = { name: "matrix", codecs, movflags: LIVE, lengthSeconds: MEDIA_SECONDS };
  const splitter = new Splitter();
  const broadcast = new HangBroadcast();
  const out: HangRecord[] = [];
  for (const event of splitter.push(await encode(recipe))) out.push(...broadcast.take(event));
  out.push(...broadcast.end());
  return out;
}

/** What is said of groups that were read. @throws {Error} One is not whole, or one between them is missing. */
function judged(
  groups: readonly { readonly sequence: number; readonly frames: number; readonly wrong: number }[],
): string {
  const bad = groups.find(({ frames, wrong }) => frames !== FRAMES || wrong > 0);
  if (bad) {
    throw new Error(`group ${bad.sequence}: ${bad.frames} frames, ${bad.wrong} of them wrong`);
  }
  const came = groups.map(({ sequence }) => sequence);
  const lost = missingOf(came, GROUPS);
  if (lost !== undefined) throw new Error(`group ${lost} never came: ${came.join(" ")}`);
  return `${GROUPS} groups of ${FRAMES} frames`;
}

/** Our own library. */
export const ours: MatrixPeer = {
  name: "client",
  contents: ["data", "media"],
  lacks: () => undefined,
  async publish(site, content) {
    const client = await dial(site);
    const broadcast = client.publish(site.path);
    if (content === "media") {
      void playMedia(client, new BroadcastWriter(broadcast));
      return client;
    }
    const track = broadcast.track("data", { maxAgeMs: 30_000 });
    const timer = setInterval(() => {
      using group = track.group();
      for (let i = 0; i < FRAMES; i++) group.write(payloadOf(group.sequence, i));
    }, EVERY_MS);
    return {
      async [Symbol.asyncDispose]() {
        clearInterval(timer);
        await client.close();
      },
    };
  },
  async receive(site, content) {
    await using client = await dial(site);
    for await (const { path, active } of client.announced()) {
      if (active && path === site.path) break;
    }
    if (content === "data") {
      return judged(await readGroups(client.subscribe(site.path, "data", LATE)));
    }
    const catalog = await firstFrame(client.subscribe(site.path, "catalog.json"));
    const { video } = JSON.parse(new TextDecoder().decode(catalog));
    const name = Object.keys(video.renditions)[0]!;
    let frames = 0;
    for await (const group of client.subscribe(site.path, name, LATE)) {
      for await (const _ of group) frames++;
      if (frames >= ENOUGH) return `${frames} pictures`;
    }
    throw new Error(`the track ended after ${frames} pictures`);
  },
};

async function dial(site: Site): Promise<Client> {
  const { relay, version, signal } = site;
  const client = await connect(urlOf(site), { hash: relay.hash, versions: [version], signal });
  signal.addEventListener("abort", () => void client.close());
  return client;
}

async function playMedia(client: Client, writer: BroadcastWriter): Promise<void> {
  const startMs = performance.now();
  for (const record of await (clip ??= records())) {
    const aheadMs = startMs + record.timestampUs / 1000 - performance.now();
    if (aheadMs > 5) await new Promise((resolve) => setTimeout(resolve, aheadMs));
    writer.write(record);
  }
  writer.end();
  await client.end();
}

async function readGroups(subscription: Subscription) {
  const groups: { sequence: number; frames: number; wrong: number }[] = [];
  for await (const group of subscription) {
    let [frames, wrong] = [0, 0];
    for await (const { payload } of group) {
      if (!isPayloadOf(group.sequence, frames++, payload)) wrong++;
    }
    groups.push({ sequence: group.sequence, frames, wrong });
    const whole = missingOf(groups.map(({ sequence }) => sequence), GROUPS) === undefined;
    if (whole || groups.length === MAX_GROUPS) return groups;
  }
  throw new Error(`the track ended after ${groups.length} groups`);
}

async function firstFrame(subscription: Subscription): Promise<Uint8Array> {
  for await (const group of subscription) {
    for await (const { payload } of group) return payload;
  }
  throw new Error("the track ended without a frame");
}

/** What `@moq/net` offers by each version's name. It never agrees to 01 and 06. */
const NET_PROTOCOLS: Readonly<Record<string, readonly string[]>> = {
  "moq-lite-02": ["moql"],
  "moq-lite-03": ["moq-lite-03"],
  "moq-lite-04": ["moq-lite-04"],
  "moq-lite-05": ["moq-lite-05"],
  ...Object.fromEntries(
    [15, 16, 17, 18, 19, 20].map((draft) => [`moq-transport-${draft}`, [`moqt-${draft}`]]),
  ),
};

/** `@moq/net` in tabs of this browser. */
export async function netPeer(chromium: RunningChromium): Promise<MatrixPeer> {
  const script = await bundleForPage(new URL("../pages/interop_page.ts", import.meta.url));
  const open = async (site: Site) => {
    const page = await chromium.page();
    site.signal.addEventListener("abort", () => void page.close());
    const net: Remote<InteropPage> = await loadInPage<InteropPage>(page, script, "interop");
    const url = `https://127.0.0.1:${site.relay.port}/`;
    const version = await net.connect(url, site.relay.hash, NET_PROTOCOLS[site.version]!);
    if (version !== site.version) throw new Error(`agreed on ${version}, not ${site.version}`);
    return { net, [Symbol.asyncDispose]: () => page.close() };
  };
  return {
    name: "@moq/net",
    browser: true,
    contents: ["data", "media"],
    lacks: (version) => NET_PROTOCOLS[version] ? undefined : `@moq/net does not offer ${version}`,
    async publish(site, content) {
      const tab = await open(site);
      if (content === "data") {
        await tab.net.publishData(site.path, FRAMES, EVERY_MS);
        return tab;
      }
      const media = (await (clip ??= records())).map(({ track, group, timestampUs, payload }) => (
        { track, group, timestampUs, base64: payload.toBase64() }
      ));
      void tab.net.publishMedia(site.path, media).catch(() => {}); // the tab may go first
      return tab;
    },
    async receive(site, content) {
      await using tab = await open(site);
      await tab.net.announced(site.path);
      if (content === "data") return judged(await tab.net.readData(site.path, GROUPS, MAX_GROUPS));
      return `${await tab.net.readMedia(site.path, ENOUGH)} pictures`;
    },
  };
}

/** A peer that speaks one version, whatever the other end of the cell speaks. */
export function speaking(version: string, peer: MatrixPeer): MatrixPeer {
  return {
    ...peer,
    name: `${peer.name} on ${version}`,
    lacks: () => peer.lacks(version),
    publish: (site, content) => peer.publish({ ...site, version }, content),
    receive: (site, content) => peer.receive({ ...site, version }, content),
  };
}

/** moq-dev's command line. */
export function moqPeer(program: string): MatrixPeer {
  const run = (site: Site, args: readonly string[]) => {
    const child = new Deno.Command(program, {
      args: [
        ...["--log-level", "warn", "--connect", urlOf(site)],
        ...["--connect-tls-fingerprint", site.relay.hash, "--connect-version", site.version],
        ...["--broadcast", site.path, ...args],
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    site.signal.addEventListener("abort", () => void killed(child));
    return child;
  };
  return {
    name: "moq",
    contents: ["media"],
    lacks: () => undefined,
    async publish(site) {
      const child = run(site, ["import", "fmp4"]);
      const codecs = "-c:v libx264 -preset ultrafast -tune zerolatency -g 30 -c:a aac";
      const media = testMedia({ seconds: MEDIA_SECONDS, size: "320x180", codecs });
      void media.stdout.pipeTo(child.stdin).catch(() => {}); // the program may end first
      await child.stdout.cancel();
      return {
        async [Symbol.asyncDispose]() {
          await media[Symbol.asyncDispose]();
          await killed(child);
        },
      };
    },
    async receive(site) {
      const child = run(site, ["export", "fmp4"]);
      try {
        await child.stdin.close();
        const packets = await probe(await new Response(child.stdout).bytes());
        const { code } = await child.status;
        const pictures = packets.filter(({ streamIndex }) => streamIndex === 0).length;
        const note = `${pictures} of ${PICTURES} pictures`;
        if (pictures < ENOUGH) throw new Error(`${note}, exit code ${code}`);
        return note;
      } finally {
        await killed(child);
      }
    },
  };
}
