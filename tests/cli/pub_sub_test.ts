/**
 * `qumo-relay pub` and `qumo-relay sub` as programs, through a relay that is also a program.
 */
import assert from "node:assert/strict";
import { connect } from "../../client/mod.ts";
import { HangBroadcast, type HangRecord } from "../../media/hang/hang_broadcast.ts";
import { Splitter } from "../../media/mp4/splitter.ts";
import { type RelayProgram, start, startRelay } from "../support/program.ts";
import { testMedia } from "../support/media/test_media.ts";
import { need } from "../support/require.ts";

const ignore = !need("ffmpeg").ok;
const posix = ignore || Deno.build.os === "windows";

/** A directory for one test. */
async function tempDir(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** A fragmented MP4 in a file, and the frames that it is published as. */
async function mediaFile(dir: string, seconds: number) {
  await using media = testMedia({ seconds, size: "320x180", fast: true });
  const bytes = await new Response(media.stdout).bytes();
  const path = `${dir}/in.mp4`;
  await Deno.writeFile(path, bytes);
  const splitter = new Splitter();
  const broadcast = new HangBroadcast();
  const records: HangRecord[] = [];
  for (const event of splitter.push(bytes)) records.push(...broadcast.take(event));
  records.push(...broadcast.end());
  return { path, bytes, records };
}

/** The frames below DIR/TRACK by "GROUP-FRAME". */
async function saved(dir: string, track: string): Promise<Map<string, Uint8Array>> {
  const frames = new Map<string, Uint8Array>();
  for await (const { name } of Deno.readDir(`${dir}/${track}`)) {
    frames.set(name, await Deno.readFile(`${dir}/${track}/${name}`));
  }
  return frames;
}

/** The published frames, in the same form. */
function published(records: readonly HangRecord[], track: string): Map<string, Uint8Array> {
  const frames = new Map<string, Uint8Array>();
  let [group, frame] = [-1, 0];
  for (const record of records.filter((r) => r.track === track)) {
    frame = record.group === group ? frame + 1 : 0;
    group = record.group;
    frames.set(`${group}-${frame}`, record.payload);
  }
  return frames;
}

function isSubset(part: Map<string, Uint8Array>, whole: Map<string, Uint8Array>): void {
  for (const [name, bytes] of part) assert.deepEqual(bytes, whole.get(name), name);
}

const WAYS: Readonly<Record<string, (relay: RelayProgram) => string[]>> = {
  "http:// with the hash fetched": ({ url }) => [url],
  "https:// with --hash": ({ port, hash }) => [`https://127.0.0.1:${port}/`, "--hash", hash],
  "https:// with --ca": ({ port, certFile }) => [`https://localhost:${port}/`, "--ca", certFile],
  "moqt:// with --hash": ({ port, hash }) => [`moqt://127.0.0.1:${port}/`, "--hash", hash],
};

for (const [way, target] of Object.entries(WAYS)) {
  Deno.test({
    name: `sub saves every frame that pub publishes, ${way}`,
    ignore,
    async fn() {
      await using dir = await tempDir();
      const { path, records } = await mediaFile(dir.path, 2);
      await using relay = await startRelay();
      const out = `${dir.path}/out`;
      await using sub = start(["sub", ...target(relay), "--broadcast", "demo", "--out", out]);
      await sub.saw("Waiting for demo");
      await using pub = start(["pub", ...target(relay), "--broadcast", "demo", path]);
      assert.equal(await pub.ended(), 0, pub.output());
      const page = /^moqt/.test(target(relay)[0]!) ? "" : " Watch it at http.*/\\?name=demo\\n";
      assert.match(pub.output(), new RegExp(`^Publishing demo\\.${page}.*Ctrl-C ends it\\.\\n$`));
      assert.equal(await sub.ended(), 0, sub.output());
      assert.match(
        sub.output(),
        /^catalog\.json: 1 groups, 1 frames, \d+ bytes, newest 0, 0 lost$/m,
      );
      assert.match(sub.output(), /^video0: 2 groups, 60 frames, \d+ bytes, newest 1, 0 lost$/m);
      assert.match(
        sub.output(),
        /^audio0: \d+ groups, \d+ frames, \d+ bytes, newest 100, 0 lost$/m,
      );

      assert.deepEqual(await saved(out, "video0"), published(records, "video0"));
      assert.deepEqual(await saved(out, "catalog.json"), published(records, "catalog.json"));
      const audio = await saved(out, "audio0");
      assert.ok(audio.size > 50, `${audio.size} audio frames`); // from the catalog on
      isSubset(audio, published(records, "audio0"));
    },
  });
}

for (
  const [publisher, viewer] of [["moq-lite-02", "moq-lite-06"], ["moq-lite-06", "moq-lite-02"]]
) {
  Deno.test({
    name: `sub on ${viewer} gets what pub publishes on ${publisher}`,
    ignore,
    async fn() {
      await using dir = await tempDir();
      const { path, records } = await mediaFile(dir.path, 1);
      await using relay = await startRelay();
      const url = `moqt://127.0.0.1:${relay.port}/`;
      const flags = ["--hash", relay.hash, "--broadcast", "room/demo"];
      const out = `${dir.path}/out`;
      const keep = ["--out", out, "--raw", "--version", viewer!];
      await using sub = start(["sub", url, ...flags, ...keep]);
      await sub.saw("Waiting for room/demo");
      await using pub = start(["pub", url, ...flags, "--version", publisher!, path]);
      assert.equal(await pub.ended(), 0, pub.output());
      assert.equal(await sub.ended(), 0, sub.output());
      const expected = [...published(records, "video0").values()];
      const video = await Deno.readFile(`${out}/video0`);
      assert.deepEqual(video, await new Blob(expected as BlobPart[]).bytes());
    },
  });
}

Deno.test({
  name: "SIGINT ends pub in order: its last groups arrive whole, and its viewer ends too",
  ignore: posix,
  async fn() {
    await using relay = await startRelay();
    await using sub = start(["sub", relay.url, "--broadcast", "demo", "--json"]);
    await using media = testMedia({ size: "320x180" });
    await using pub = start(["pub", relay.url, "--broadcast", "demo"], { stdin: media.stdout });
    await sub.saw(/"frames":\d\d/);
    pub.process.kill("SIGINT");
    assert.equal(await pub.ended(), 0, pub.output());
    assert.equal(await sub.ended(), 0, sub.output());
    const last = JSON.parse(sub.output().trim().split("\n").at(-1)!);
    assert.equal(last.lost, 0);
    assert.ok(last.frames > 20);
    // It closed its session, so the relay does not wait for it to come back.
    const { sessions } = await sessionsOf(relay);
    assert.equal(sessions, 0);
  },
});

Deno.test({
  name: "pub dials again when its relay was away, and goes on; with --once it ends with 1",
  ignore: posix,
  async fn() {
    const first = await startRelay();
    const address = `127.0.0.1:${first.port}`;
    await using media = testMedia({ size: "320x180" });
    await using other = testMedia({ size: "320x180" });
    await using pub = start(["pub", first.url, "-b", "demo"], { stdin: media.stdout });
    await using once = start(["pub", first.url, "-b", "once", "--once"], { stdin: other.stdout });
    await using viewer = await connect(first.url);
    using news = viewer.announced();
    await news.next();
    await news.next();
    first.process.kill("SIGTERM");
    assert.equal(await first.ended(), 0);
    await first[Symbol.asyncDispose]();
    assert.equal(await once.ended(), 1);
    assert.match(once.output(), /^The connection to the relay is lost/m);

    await using second = await startRelay(["--server.address", address]);
    await pub.saw("Connected again");
    await using sub = start(["sub", second.url, "-b", "demo", "-t", "video0", "-n", "2"]);
    assert.equal(await sub.ended(), 0, sub.output());
    assert.match(sub.output(), /^video0: 2 groups, \d+ frames, \d+ bytes, newest \d+, 0 lost$/m);
  },
});

Deno.test({
  name: "pub refuses what is no fragmented MP4, and sends what came before damage",
  ignore,
  async fn() {
    await using dir = await tempDir();
    const { bytes, records } = await mediaFile(dir.path, 1);
    await using relay = await startRelay();
    const garbage = new Response("this is no video at all, whatever else it is").body!;
    await using bad = start(["pub", relay.url, "-b", "bad"], { stdin: garbage });
    assert.equal(await bad.ended(), 1);
    assert.match(bad.output(), /^Cannot split the stream: it does not begin as an MP4/m);

    const cut = `${dir.path}/cut.mp4`;
    await Deno.writeFile(cut, bytes.subarray(0, bytes.length - 10));
    const out = `${dir.path}/out`;
    await using sub = start(["sub", relay.url, "-b", "cut", "--out", out]);
    await sub.saw("Waiting for cut");
    await using pub = start(["pub", relay.url, "-b", "cut", cut]);
    assert.equal(await pub.ended(), 1);
    assert.match(pub.output(), /^Cannot split the MP4: .*ends/m);
    assert.equal(await sub.ended(), 0, sub.output());
    const video = await saved(out, "video0");
    assert.ok(video.size >= 29, `${video.size} frames`);
    isSubset(video, published(records, "video0"));
  },
});

Deno.test("sub lists what is announced and what is gone", async () => {
  await using relay = await startRelay();
  await using client = await connect(relay.url);
  const broadcast = client.publish("room/alice");
  using _other = client.publish("hall/bob");
  await using list = start(["sub", relay.url, "--prefix", "room", "--count", "2"]);
  await list.saw("+ room/alice");
  broadcast.close();
  assert.equal(await list.ended(), 0);
  assert.equal(list.output(), "+ room/alice\n- room/alice\n");
  await using json = start(["sub", relay.url, "--json", "-n", "1"]);
  assert.equal(await json.ended(), 0);
  const { path, active } = JSON.parse(json.output());
  assert.deepEqual([path, active], ["hall/bob", true]);
});

Deno.test("sub takes nothing back at its own end, nor when the relay is gone", async () => {
  await using relay = await startRelay();
  await using client = await connect(relay.url);
  using _broadcast = client.publish("room/alice");
  await using timed = start(["sub", relay.url, "--duration", "1s"]);
  await using left = start(["sub", relay.url, "--json"]);
  assert.equal(await timed.ended(), 0);
  assert.equal(timed.output(), "+ room/alice\n");
  await left.saw("room/alice");
  relay.process.kill("SIGKILL");
  // A relay that dies sends nothing. The transport notices the silence.
  assert.equal(await left.ended(), 1);
  assert.match(left.output(), /^\{"path":"room\/alice","active":true,.*\nThe session .* is over/);
  assert.doesNotMatch(left.output(), /"active":false/);
});

Deno.test({
  name: "demo publishes a test picture to the URL it is given and says where to watch it",
  ignore: posix,
  async fn() {
    await using relay = await startRelay();
    await using demo = start(["demo", relay.url, "--broadcast", "test"]);
    await demo.saw(`Publishing test. Watch it at ${relay.url}?name=test\n`);
    await using sub = start(["sub", relay.url, "-b", "test", "-t", "video0", "-n", "1"]);
    assert.equal(await sub.ended(), 0, sub.output());
    demo.process.kill("SIGINT");
    assert.equal(await demo.ended(), 0, demo.output());
  },
});

Deno.test("demo says what to install where there is no ffmpeg", async () => {
  const empty = await Deno.makeTempDir();
  try {
    await using demo = start(["demo"], { env: { PATH: empty } });
    assert.equal(await demo.ended(), 1);
    assert.match(demo.output(), /^Cannot start ffmpeg: .*apt-get install ffmpeg/);
  } finally {
    await Deno.remove(empty);
  }
});

Deno.test("sub tells a missing token, a wrong one and one for other paths apart", async () => {
  await using dir = await tempDir();
  const [file, wrongFile] = [`${dir.path}/key.jwk`, `${dir.path}/wrong.jwk`];
  for (const path of [file, wrongFile]) {
    await using made = start(["token", "generate", "--out", path]);
    assert.equal(await made.ended(), 0, made.output());
  }
  const sign = async (key: string) => {
    const claims = ["--root", "rooms/1", "--subscribe", "", "--ttl", "1h"];
    await using signed = start(["token", "sign", "--key", key, ...claims]);
    assert.equal(await signed.ended(), 0, signed.output());
    return signed.output().trim();
  };
  const token = await sign(file);
  await using relay = await startRelay(["--auth.key_file", file]);
  const cases: [string, string[], number, RegExp][] = [
    ["rooms/1", [], 1, /status 401.*\nGive a token: --token TOKEN, or http.*rooms\/1\?jwt=TOKEN/],
    ["rooms/1", ["--token", await sign(wrongFile)], 1, /status 401.*\nThe relay does not accept/],
    ["rooms/2", ["--token", token], 1, /status 403.*\nThe relay accepts the token, but not for/],
    ["rooms/1", ["--token", token, "-d", "1s"], 0, /^$/],
  ];
  for (const [path, flags, code, said] of cases) {
    await using sub = start(["sub", `${relay.url}${path}`, ...flags]);
    assert.equal(await sub.ended(), code, sub.output());
    assert.match(sub.output(), said);
  }
});

Deno.test("sub writes the frames of one track to standard output, and nothing else", async () => {
  await using relay = await startRelay();
  await using client = await connect(relay.url);
  using broadcast = client.publish("text");
  const track = broadcast.track("lines");
  track.write("never asked for\n");
  const kept = track.group();
  kept.write("one\n");
  await using sub = start(["sub", relay.url, "-b", "text", "-t", "lines", "--out", "-"]);
  await sub.saw("one\n");
  kept.write("two\n");
  kept.close();
  track.write("three\n");
  track.close();
  assert.equal(await sub.ended(), 0);
  assert.equal(sub.output(), "one\ntwo\nthree\n");
});

Deno.test("sub ends after --duration, and with 1 when nobody has published by then", async () => {
  await using relay = await startRelay();
  await using client = await connect(relay.url);
  using broadcast = client.publish("here");
  broadcast.track("data").write("x");
  const sub = (...args: string[]) => start(["sub", relay.url, "-d", "300ms", ...args]);
  await using here = sub("-b", "here", "-t", "data", "--json");
  assert.equal(await here.ended(), 0, here.output());
  const { groups, frames, bytes, newest, lost } = JSON.parse(here.output().trim());
  assert.deepEqual({ groups, frames, bytes, newest, lost }, {
    groups: 1,
    frames: 1,
    bytes: 1,
    newest: 0,
    lost: 0,
  });
  await using absent = sub("-b", "absent");
  assert.equal(await absent.ended(), 1);
  assert.match(absent.output(), /Cannot receive absent: nobody published it in time/);
  await using noTrack = sub("-b", "here", "-t", "nope");
  assert.equal(await noTrack.ended(), 1);
  assert.match(noTrack.output(), /^Cannot read track nope: /);
});

Deno.test("pub and sub say what to do when no connection comes about", async () => {
  await using relay = await startRelay();
  const cases: [string[], RegExp][] = [
    [["http://127.0.0.1:9/"], /^Cannot connect to http.*\nIs a relay running at 127\.0\.0\.1:9,/],
    [
      ["ws://127.0.0.1:9/"],
      /^Cannot .*nothing listens there for TCP\nIs a relay running at [\d.:]+\?/,
    ],
    [[`wss://127.0.0.1:${relay.port}/`], /^Cannot .*certificate is refused.*\n.* with --ca/],
    [[`https://127.0.0.1:${relay.port}/`], /^Cannot connect to .*certificate.*\n.*--hash/],
    [
      [`moqt://127.0.0.1:${relay.port}/`, "--hash", "00".repeat(32)],
      /^Cannot connect to .*certificate.*\n.*the given hash/,
    ],
  ];
  for (const [args, expected] of cases) {
    for (const command of ["sub", "pub"]) {
      const stdin = new Response("").body!;
      await using program = start([command, ...args, "--broadcast", "x"], { stdin });
      assert.equal(await program.ended(), 1, program.output());
      assert.match(program.output(), expected);
    }
  }
});

Deno.test("pub and sub refuse a command line that cannot be meant", async () => {
  const url = "http://127.0.0.1:9/";
  const cases: [string[], RegExp][] = [
    [["pub"], /^pub needs the URL of a relay/],
    [["pub", url], /^pub needs --broadcast NAME/],
    [["pub", "ftp://x/", "-b", "x"], /^"ftp:\/\/x\/" is no URL of a relay/],
    [["pub", url, "-b", "x", "/nowhere.mp4"], /^Cannot read \/nowhere\.mp4: /],
    [["pub", url, "-b", "x", "--hash", "abc"], /^--hash takes the 64 hexadecimal digits/],
    [["pub", url, "-b", "x", "--version", "moq-lite-9"], /^--version takes moq-lite-06, /],
    [["pub", url, "-b", "x", "--ca", "/nowhere.pem"], /^--ca: cannot use \/nowhere\.pem: /],
    [["sub", url, "--track", "x"], /^--track and --out need --broadcast/],
    [["sub", url, "-b", "x", "--out", "-"], /^--out - needs --track/],
    [["sub", url, "--duration", "5"], /^--duration takes a duration like 5s/],
    [["sub", url, "--count", "many"], /^--count takes a whole number/],
  ];
  for (const [args, expected] of cases) {
    await using program = start(args, { stdin: new Response("").body! });
    assert.equal(await program.ended(), 2, program.output());
    assert.match(program.output(), expected);
  }
});

async function sessionsOf(relay: RelayProgram): Promise<{ sessions: number }> {
  const answer = await (await fetch(`${relay.adminUrl}/api/v1/sessions`)).json();
  return { sessions: (Array.isArray(answer) ? answer : answer.sessions).length };
}

Deno.test({
  name: "pub says so when the relay does not let it publish that name, and does not when it does",
  ignore,
  async fn() {
    await using dir = await tempDir();
    const key = `${dir.path}/key.jwk`;
    const run = async (...args: string[]) => {
      await using program = start(["token", ...args]);
      assert.equal(await program.ended(), 0, program.output());
      return program.output().trim();
    };
    await run("generate", "--out", key);
    const token = await run(
      "sign",
      "--key",
      key,
      "--root",
      "a b",
      "--publish",
      "studio",
      "--ttl",
      "1h",
    );
    await using relay = await startRelay(["--auth.key_file", key, "--auth.public_subscribe", "**"]);
    const publish = (...args: string[]) => {
      const media = testMedia({ size: "320x180" });
      return [media, start(["pub", ...args], { stdin: media.stdout })] as const;
    };
    const refusals = [
      [`${relay.url}a%20b`, "--broadcast", "studio"],
      [`${relay.url}a%20b`, "--broadcast", "other", "--token", token],
      [`${relay.url}a%20b?jwt=${token}`, "--broadcast", "studio2"],
    ];
    for (const args of refusals) {
      const [media, pub] = publish(...args);
      await using _both = { [Symbol.asyncDispose]: () => media[Symbol.asyncDispose]() };
      await using _pub = pub;
      await pub.saw(/does not let you publish .*--token TOKEN/);
    }
    const [media, pub] = publish(`${relay.url}a%20b`, "-b", "studio", "--token", token);
    await using _media = media;
    await using _pub = pub;
    await using viewer = await connect(relay.url);
    for await (const { path } of viewer.announced()) {
      assert.equal(path, "a b/studio");
      break;
    }
    assert.doesNotMatch(pub.output(), /does not let/);
  },
});

Deno.test("sub --also goes on at another node, when its own is killed and when nobody is there", async () => {
  await using relay = await startRelay();
  await using first = await startRelay();
  await using publisher = await connect(relay.url);
  const other = await connect(first.url);
  other.publish("only/first");
  const sub = (count: number) =>
    start(["sub", first.url, "--also", relay.url, "--count", String(count)]);
  await using killed = sub(2);
  await killed.saw("+ only/first");
  first.process.kill("SIGKILL");
  await first.ended();
  publisher.publish("only/second");
  assert.equal(await killed.ended(), 0, killed.output());
  assert.equal(killed.output(), "+ only/first\n+ only/second\n");
  await using late = sub(1);
  assert.equal(await late.ended(), 0, late.output());
  assert.equal(late.output(), "+ only/second\n");
  await other.close();
});
