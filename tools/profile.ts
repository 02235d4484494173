/**
 * `deno task profile`: where the relay spends its time, or what its memory holds, under a load of `qumo-relay bench`.
 *
 *   deno task profile [--seconds 5] [--top 30] [-- FLAGS OF BENCH]      CPU: dist/profile/relay.cpuprofile
 *   deno task profile --heap [-- FLAGS OF BENCH]                        memory: before, under and after the load
 *
 * The files open in the developer tools of Chromium (Performance, Memory).
 */
import { sleep } from "../base/sleep.ts";
import { parseArgs } from "node:util";
import { type CpuProfile, topFunctions } from "./profile/cpu_profile.ts";
import { growth, type HeapSnapshot, type Held, heldByKind } from "./profile/heap_snapshot.ts";
import { Inspector } from "./profile/inspector.ts";
import { fromFileUrl } from "./file_url.ts";
import { say } from "./say.ts";
import { V8_FLAGS } from "./ship/v8_flags.ts";

const MAIN = fromFileUrl(new URL("../main.ts", import.meta.url));
const OUT = fromFileUrl(new URL("../dist/profile", import.meta.url));
/** A load that shows what a frame costs: many viewers, few bytes. */
const LOAD = ["--viewers", "200", "--fps", "30", "--frame-size", "1200", "--group-size", "30"];
/** How long the load runs before the measurement, so that code is compiled and viewers are connected. */
const WARM_UP_MS = 4000;

/** The relay and its debugger. */
interface Target extends AsyncDisposable {
  readonly url: string;
  readonly inspector: Inspector;
}

async function startTarget(): Promise<Target> {
  const certs = await Deno.makeTempDir({ prefix: "qumo-profile-" });
  const relay = new Deno.Command(Deno.execPath(), {
    args: [
      ...[
        "run",
        "-A",
        "--inspect=127.0.0.1:0",
        V8_FLAGS,
        MAIN,
        "serve",
        "--server.cert_dir",
        certs,
      ],
      ...["--server.address", "127.0.0.1:0", "--admin.address", "off", "--logging.format", "json"],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let text = "";
  const told = Promise.withResolvers<{ readonly url: string; readonly debugger: string }>();
  const reading = (async () => {
    for await (const part of relay.stderr.pipeThrough(new TextDecoderStream())) {
      text += part;
      const debug = /ws:\/\/\S+/.exec(text)?.[0];
      const port = /127\.0\.0\.1:(\d+)\/udp/.exec(text)?.[1];
      if (debug && port) told.resolve({ url: `http://127.0.0.1:${port}/`, debugger: debug });
    }
    told.reject(new Error(`the relay ended: ${text}`));
  })();
  const { url, debugger: at } = await told.promise;
  const inspector = await Inspector.open(at);
  return {
    url,
    inspector,
    async [Symbol.asyncDispose]() {
      inspector[Symbol.dispose]();
      relay.kill("SIGKILL");
      await relay.status;
      await reading;
      await Deno.remove(certs, { recursive: true });
    },
  };
}

function startLoad(url: string, flags: readonly string[], seconds: number): Deno.ChildProcess {
  const load = flags.length > 0 ? flags : LOAD;
  const args = ["run", "-A", MAIN, "bench", url, ...load, "--duration", `${seconds}s`];
  return new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "null" }).spawn();
}

async function profileCpu(flags: readonly string[], seconds: number, top: number): Promise<void> {
  await using target = await startTarget();
  const { inspector } = target;
  const load = startLoad(target.url, flags, seconds + 2 * WARM_UP_MS / 1000);
  await sleep(WARM_UP_MS);
  await inspector.call("Profiler.enable");
  await inspector.call("Profiler.setSamplingInterval", { interval: 200 });
  await inspector.call("Profiler.start");
  await sleep(seconds * 1000);
  const { profile } = await inspector.call<{ profile: CpuProfile }>("Profiler.stop");
  await write("relay.cpuprofile", JSON.stringify(profile));
  for (const { where, ms, share } of topFunctions(profile).slice(0, top)) {
    say(`${ms.toFixed(0).padStart(7)} ms ${(share * 100).toFixed(1).padStart(5)} %  ${where}`);
  }
  await load.status;
}

async function profileHeap(flags: readonly string[], seconds: number, top: number): Promise<void> {
  await using target = await startTarget();
  const before = await snapshot(target.inspector, "before");
  const load = startLoad(target.url, flags, seconds + WARM_UP_MS / 1000);
  await sleep(WARM_UP_MS);
  const under = await snapshot(target.inspector, "under");
  show("Under the load, more than before", growth(before, under), top);
  await load.status;
  await sleep(WARM_UP_MS);
  show("After it", growth(before, await snapshot(target.inspector, "after")), top);
}

/** Takes a snapshot. V8 collects garbage first. */
async function snapshot(inspector: Inspector, name: string): Promise<Held[]> {
  const parts: string[] = [];
  inspector.on<{ chunk: string }>("HeapProfiler.addHeapSnapshotChunk", ({ chunk }) => {
    parts.push(chunk);
  });
  await inspector.call("HeapProfiler.takeHeapSnapshot", { reportProgress: false });
  const text = parts.join("");
  await write(`${name}.heapsnapshot`, text);
  return heldByKind(JSON.parse(text) as HeapSnapshot);
}

function show(title: string, held: readonly Held[], top: number): void {
  const total = held.reduce((sum, { bytes }) => sum + bytes, 0);
  say(`${title}: ${kilobytes(total)}`);
  for (const { kind, count, bytes } of held.slice(0, top)) {
    say(`${kilobytes(bytes).padStart(12)}  ${String(count).padStart(8)}  ${kind}`);
  }
}

const kilobytes = (bytes: number) => `${Math.round(bytes / 1024)} KB`;

async function write(name: string, text: string): Promise<void> {
  await Deno.mkdir(OUT, { recursive: true });
  await Deno.writeTextFile(`${OUT}/${name}`, text);
  say(`written: dist/profile/${name}`);
}

const { values, positionals } = parseArgs({
  options: {
    seconds: { type: "string", default: "5" },
    top: { type: "string", default: "30" },
    heap: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const profile = values.heap ? profileHeap : profileCpu;
await profile(positionals, Number(values.seconds), Number(values.top));
