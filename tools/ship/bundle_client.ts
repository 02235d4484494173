/**
 * Bundles the client library for browsers into dist/client/qumo-client.js, and prints its size: the part that a page with
 * `connect()` needs, and the whole, beside `@moq/net` from the same bundler. Fails above the limit.
 */
import { gzipSync } from "node:zlib";
import { ROOT } from "../module_graph.ts";
import { report, say } from "../say.ts";
import { toFileUrl } from "../file_url.ts";

/**
 * The largest size of `connect()`, minified and compressed. It grew with clusters: a client tells its peers and its viewers of a
 * publisher that has begun anew, goes on at a gap or in the middle of a group, and dials other nodes.
 */
export const CONNECT_LIMIT_BYTES = 46_000;

/** Imported lazily, and in Deno only: a bundle for browsers names them and never loads them. */
const DENO_ONLY = ["*/transport/dial.ts", "*/transport/quic/quic.ts", "*/transport/accept.ts"];

/**
 * Imported lazily: where a WebSocket is dialed, moq-transport is spoken, a group is fetched, a certificate's hash is fetched, or a
 * client goes on at another relay. It is part of the library's file. It does not count in what a page loads at first, because a
 * bundler that splits code makes separate files of it.
 */
const WHEN_DIALED = [
  ...["*/websocket_client.ts", "*/ietf/open.ts", "*/ietf/accept.ts"],
  ...["*/fetches.ts", "*/fetch_streams.ts", "*/fetched_hash.ts"],
  ...["*/nodes/places.ts", "*/nodes/renewals.ts"],
];

/** What is bundled, by name. */
const ENTRIES = {
  connect: `export { connect } from "${new URL("client/mod.ts", toFileUrl(ROOT))}";`,
  library: `export * from "${new URL("client/mod.ts", toFileUrl(ROOT))}";`,
  yardstick: 'import { Connection } from "@moq/net"; export const connect = Connection.connect;',
} as const;

/** The size of a bundle. */
export interface Size {
  readonly minifiedBytes: number;
  readonly gzipBytes: number;
}

/**
 * One JavaScript module for browsers.
 * @throws {Error} What `deno bundle` said.
 */
export async function bundleFor(entry: keyof typeof ENTRIES): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "qumo-bundle-" });
  try {
    await Deno.writeTextFile(`${folder}/entry.ts`, ENTRIES[entry]);
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["bundle", "--quiet", "--platform", "browser", "--minify"],
        ...["--config", `${ROOT}deno.json`],
        ...[...DENO_ONLY, ...(entry === "connect" ? WHEN_DIALED : [])].map((path) =>
          `--external=${path}`
        ),
        `${folder}/entry.ts`,
      ],
      stdin: "null",
      env: { NO_COLOR: "1" },
    }).output();
    const text = new TextDecoder();
    if (!success) throw new Error(`Cannot bundle ${entry}: ${text.decode(stderr)}`);
    return text.decode(stdout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The size of a script. */
export function sizeOf(script: string): Size {
  const bytes = new TextEncoder().encode(script);
  return { minifiedBytes: bytes.length, gzipBytes: gzipSync(bytes, { level: 9 }).length };
}

/** Imports that the script needs at once and no browser has. */
export function needsOfDeno(script: string): string[] {
  return [
    ...script.matchAll(/\bDeno\.\w+/g),
    ...script.matchAll(/\bimport\(?["']node:[^"']*/g),
    ...script.matchAll(/(?:^|;)import\s*[\w{*"'][^(;]*/g),
  ].map(([found]) => found);
}

function line(name: string, { minifiedBytes, gzipBytes }: Size): string {
  const kb = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`.padStart(9);
  return `${name.padEnd(24)} ${kb(minifiedBytes)} minified ${kb(gzipBytes)} gzip`;
}

if (import.meta.main) {
  const [connect, library, yardstick] = await Promise.all([
    bundleFor("connect"),
    bundleFor("library"),
    bundleFor("yardstick"),
  ]);
  await Deno.mkdir(`${ROOT}dist/client`, { recursive: true });
  await Deno.writeTextFile(`${ROOT}dist/client/qumo-client.js`, library);
  say("dist/client/qumo-client.js is built");
  say(line("connect() alone", sizeOf(connect)));
  say(line("the whole library", sizeOf(library)));
  say(line("@moq/net, connect()", sizeOf(yardstick)));
  const { gzipBytes } = sizeOf(connect);
  const over = gzipBytes > CONNECT_LIMIT_BYTES
    ? [`connect() weighs ${gzipBytes} bytes, at most ${CONNECT_LIMIT_BYTES}`]
    : [];
  report("client bundle", [...over, ...needsOfDeno(connect), ...needsOfDeno(library)]);
}
