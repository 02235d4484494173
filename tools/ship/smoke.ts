/**
 * Tries a shipped executable as its users do: `deno run -A tools/ship/smoke.ts [EXECUTABLE]`, by default dist/qumo-relay. It may be packed
 * or compiled. The exit code is 0 if every step succeeds. Otherwise the last line names the step that failed.
 */
import assert from "node:assert/strict";
import { VERSION } from "../../base/version.ts";
import { connect } from "../../client/mod.ts";
import { FragmentMuxer } from "../../media/mp4/fragment_muxer.ts";
import { type Program, start as startProgram } from "../../tests/support/program.ts";
import { ROOT } from "../module_graph.ts";
import { say } from "../say.ts";

const posix = Deno.build.os !== "windows";
const linux = Deno.build.os === "linux";

/** The time limit of each step, enough for a busy machine. */
const STEP_MS = 60_000;

interface Running {
  readonly executable: string;
  readonly dir: string;
  readonly relay: Program;
  readonly url: string;
  /** The second worker's own address. */
  readonly secondUrl: string;
  readonly hash: Uint8Array;
  readonly notified: Deno.DatagramConn | undefined;
}

interface Step {
  readonly name: string;
  /** Whether this system has what the step needs. */
  readonly here?: boolean;
  readonly run: (running: Running) => Promise<void>;
}

const STEPS: readonly Step[] = [
  {
    name: "the page and what it loads are served",
    async run({ url }) {
      const page = await (await fetch(url)).text();
      const path = /assets\/page\.js/.exec(page)?.[0] ?? assert.fail(`no script in ${page}`);
      const script = await fetch(new URL(path, url));
      assert.equal(script.status, 200);
      assert.match(await script.text(), /import|export|document/);
    },
  },
  {
    name: "the library publishes to one worker and reads from the other",
    async run({ url, secondUrl, hash }) {
      await using publisher = await connect(url, { hash });
      await using viewer = await connect(secondUrl, { hash });
      using broadcast = publisher.publish("smoke");
      broadcast.track("lines").write("through the binary");
      assert.equal(await firstFrame(viewer, "smoke", "lines"), "through the binary");
    },
  },
  {
    name: "a plugin by its path publishes",
    async run({ url, hash }) {
      await using viewer = await connect(url, { hash });
      assert.match(await firstFrame(viewer, "clock", "time"), /^\d{4}-\d\d-\d\dT/);
      const now = await fetch(new URL("/clock/now", url));
      assert.equal(now.status, 200);
      await now.body?.cancel();
    },
  },
  {
    name: "`pub` publishes a file and `sub` saves it",
    async run({ executable, dir, url, hash }) {
      const file = `${dir}/film.mp4`;
      await Deno.writeFile(file, film());
      await using pub = run(executable, ["pub", url, "--broadcast", "film", file], dir);
      await using viewer = await connect(url, { hash });
      await announced(viewer, "film");
      const args = ["sub", url, "--broadcast", "film", "--track", "video0", "--count", "2"];
      await using sub = run(executable, [...args, "--out", `${dir}/saved`], dir);
      assert.equal(await sub.ended(), 0, `sub: ${sub.output()}\npub: ${pub.output()}`);
      const frames = [...Deno.readDirSync(`${dir}/saved/video0`)];
      assert.ok(frames.length > 0, "sub saved no frame");
    },
  },
  {
    name: "a changed file is taken into use",
    async run({ dir, relay }) {
      await configure(dir, "debug");
      await relay.saw(/"message":"configuration read again","applied":"logging.level"/);
    },
  },
  {
    name: "SIGHUP reads the file again",
    here: posix,
    async run({ relay }) {
      relay.process.kill("SIGHUP");
      await relay.saw("configuration read again: nothing has changed");
    },
  },
  {
    name: "systemd is told when it is ready, and of the reload",
    here: linux,
    async run({ notified }) {
      for (const wanted of [/^READY=1/, /^RELOADING=1\nMONOTONIC_USEC=\d{7,}\n/]) {
        for (let message = ""; !wanted.test(message);) {
          message = new TextDecoder().decode((await notified!.receive())[0]);
        }
      }
    },
  },
  {
    name: "SIGTERM ends it with code 0",
    here: posix,
    async run({ relay }) {
      relay.process.kill("SIGTERM");
      assert.equal(await relay.ended(), 0, relay.output());
    },
  },
];

/**
 * Runs every step. @param tell Called after each step that succeeds.
 * @throws {Error} The first step that failed, with the relay's output.
 */
export async function smoke(executable: string, tell: (line: string) => void): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "qumo-smoke-" });
  try {
    await step("version", async () => {
      await using version = run(executable, ["version"], dir);
      assert.equal(await version.ended(), 0, version.output());
      assert.ok(version.output().startsWith(`qumo-relay ${VERSION} `), version.output());
    });
    tell("version");
    await Deno.copyFile(`${ROOT}examples/plugin/clock.ts`, `${dir}/clock.ts`);
    await configure(dir, "info");
    const notified = linux
      ? Deno.listenDatagram({ transport: "unixpacket", path: `${dir}/notify` })
      : undefined;
    try {
      await using relay = run(executable, ["--config", `${dir}/config.yaml`], dir, {
        ...notified === undefined ? {} : { NOTIFY_SOCKET: `${dir}/notify` },
      });
      await step("serve with two workers", () => relay.saw(/"message":"started".*\n/), relay);
      tell("serve with two workers");
      const running = described(executable, dir, relay, notified);
      for (const { name, here = true, run } of STEPS) {
        if (!here) continue;
        await step(name, () => run(running), relay);
        tell(name);
      }
    } finally {
      notified?.close();
    }
  } finally {
    await Deno.remove(dir, { recursive: true }).catch(() => {}); // Windows holds the open files of a dying process
  }
}

function described(
  executable: string,
  dir: string,
  relay: Program,
  notified: Deno.DatagramConn | undefined,
): Running {
  const line = relay.output().split("\n").find((text) => text.includes('"message":"started"'))!;
  const { listening, certificateSha256 } = JSON.parse(line);
  const port = Number(/HTTP 127\.0\.0\.1:(\d+)/.exec(listening)![1]);
  assert.match(listening, /worker 1 127/);
  return {
    ...{ executable, dir, relay, notified },
    url: `http://127.0.0.1:${port}/`,
    secondUrl: `https://127.0.0.1:${port + 1}/`,
    hash: Uint8Array.fromHex(certificateSha256),
  };
}

async function step(name: string, body: () => Promise<unknown>, relay?: Program): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("it took too long")), STEP_MS);
  try {
    await Promise.race([body(), late.promise]);
  } catch (cause) {
    const log = relay === undefined ? "" : `\nThe relay said:\n${relay.output()}`;
    const reason = cause instanceof Error ? cause.message : cause;
    throw new Error(`${name}: ${reason}${log}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

const run = (executable: string, args: string[], cwd: string, env: Record<string, string> = {}) =>
  startProgram(args, { executable, cwd, env });

/** Writes a file and renames it into place: a watcher never sees half of it. */
async function configure(dir: string, level: string): Promise<void> {
  await Deno.writeTextFile(
    `${dir}/config.new`,
    [
      'server: { address: "127.0.0.1:0", workers: 2, cert_dir: ".", drain_timeout: 1s }',
      'admin: { address: "127.0.0.1:0" }',
      "auth: { anonymous: true }",
      `logging: { level: ${level}, format: json }`,
      "plugins:",
      "  - { name: wall-clock, module: ./clock.ts, options: { broadcast: clock, every: 100ms } }",
      "",
    ].join("\n"),
  );
  await Deno.rename(`${dir}/config.new`, `${dir}/config.yaml`);
}

type Viewer = Awaited<ReturnType<typeof connect>>;

async function announced(viewer: Viewer, broadcast: string): Promise<void> {
  for await (const { path, active } of viewer.announced()) {
    if (path === broadcast && active) return;
  }
  throw new Error(`the relay ended before ${broadcast} was announced`);
}

async function firstFrame(viewer: Viewer, broadcast: string, track: string): Promise<string> {
  await announced(viewer, broadcast);
  for await (const group of viewer.subscribe(broadcast, track)) {
    for await (const frame of group) return new TextDecoder().decode(frame.payload);
  }
  throw new Error(`${broadcast} ended without a frame`);
}

/** Ten seconds of video that no player can show, as fragmented MP4. */
function film(): Uint8Array<ArrayBuffer> {
  const muxer = new FragmentMuxer([{
    ...{ kind: "video", name: "video0", codec: "vp09.00.10.08", container: "legacy" },
    ...{ width: 320, height: 180, framerate: 10 },
  }]);
  const payload = new Uint8Array(500);
  const parts = [muxer.init()];
  for (let i = 0; i < 100; i++) {
    const frame = { timestampUs: i * 100_000, keyframe: i % 5 === 0, payload };
    parts.push(muxer.fragment("video0", [frame]));
  }
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

if (import.meta.main) {
  try {
    await smoke(
      Deno.args[0] ?? `${ROOT}dist/qumo-relay${posix ? "" : ".exe"}`,
      (name) => say(`ok      ${name}`),
    );
  } catch (error) {
    say(`FAILED  ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
