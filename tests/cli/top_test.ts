/** `qumo-relay top` as a program, beside a relay with one publisher and one viewer. */
import assert from "node:assert/strict";
import { connect } from "../../client/mod.ts";
import { start, startRelay } from "../support/program.ts";
import { until } from "../support/server.ts";

/** A relay through which a track of ten groups a second runs. */
async function busyRelay() {
  await using stack = new AsyncDisposableStack();
  const relay = stack.use(await startRelay());
  const publisher = stack.use(await connect(relay.url));
  const track = publisher.publish("room/alice").track("lines");
  const timer = setInterval(() => track.write("0123456789"), 100);
  stack.defer(() => clearInterval(timer));
  const viewer = stack.use(await connect(relay.url));
  const subscription = stack.use(viewer.subscribe("room/alice", "lines"));
  void (async () => {
    for await (const group of subscription) group.close();
  })().catch(() => {}); // it ends with the session
  await until(() => viewer.stats.groupsIn > 2, "the first groups");
  const rest = stack.move();
  return { relay, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}

Deno.test("top --once prints the tracks with their rates and the sessions, as wide as COLUMNS", async () => {
  await using busy = await busyRelay();
  const args = ["top", "--once", "--admin", busy.relay.adminUrl];
  await using top = start(args, { env: { COLUMNS: "100" } });
  assert.equal(await top.ended(), 0, top.output());
  const lines = top.output().trimEnd().split("\n");
  assert.match(lines[0]!, /2 sessions {2}1 track /);
  assert.match(lines[2]!, /^BROADCAST +TRACK +SUBS +GROUPS\/S +FRAMES\/S +KBIT\/S +NEWEST +FROM$/);
  assert.match(lines[3]!, /^room\/alice +lines +1 +\d+\.\d +\d+\.\d +\d+\.\d +\d+ +127\.0\.0\.1:/);
  assert.match(lines[5]!, /^ *ID +REMOTE +TRANSPORT +VERSION/);
  assert.equal(lines.length, 8);
  for (const line of lines) assert.ok(line.length <= 100, line);
});

Deno.test("top shows the token of a file, or of the environment, where the relay asks for one", async () => {
  const token = "0123456789abcdef-of-a-test";
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, `${token}\n`);
  await using relay = await startRelay(["--admin.token_file", file]);
  const top = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    await using program = start(["top", "--once", "--admin", relay.adminUrl, ...args], { env });
    return { code: await program.ended(), output: program.output() };
  };
  const none = await top([]);
  assert.equal(none.code, 1);
  assert.match(none.output, /status 401\n.*--token-file/);
  assert.match((await top(["--token-file", file])).output, /0 sessions/);
  assert.match((await top([], { QUMO_ADMIN_TOKEN: token })).output, /0 sessions/);
  const missing = await top(["--token-file", `${file}.not`]);
  assert.equal(missing.code, 2);
});

Deno.test("top --json prints an object a line until it is told to end", async () => {
  await using busy = await busyRelay();
  const args = ["top", "--json", "--interval", "200ms", "--admin", busy.relay.adminUrl];
  await using top = start(args);
  await top.saw(/\n.*\n/);
  top.process.kill("SIGINT");
  assert.equal(await top.ended(), 0, top.output());
  const [first] = top.output().split("\n").map((line) => line && JSON.parse(line));
  const [{ groupsPerSecond, kbitPerSecond, ...track }] = first.tracks;
  assert.ok(groupsPerSecond > 0 && kbitPerSecond > 0, JSON.stringify(first));
  assert.equal(track.broadcast, "room/alice");
  assert.equal(track.subscribers, 1);
  assert.equal(first.sessions.length, 2);
});

Deno.test("top --cluster prints the nodes with their load and the links with their state, and again as JSON", async () => {
  await using far = await startRelay();
  // Nothing listens at the second one.
  const nodes = ["--cluster.nodes", `${far.url},http://127.0.0.1:9/?cost=7`];
  const own = ["--cluster.url", "https://near.example/", "--cluster.region", "home"];
  const room = ["--server.capacity_sessions", "50"];
  await using relay = await startRelay([...nodes, ...own, ...room]);
  await relay.saw(/"message":"linked"/);
  await using top = start(["top", "--cluster", "--once", "--admin", relay.adminUrl], {
    env: { COLUMNS: "120" },
  });
  assert.equal(await top.ended(), 0, top.output());
  const lines = top.output().trimEnd().split("\n");
  assert.match(lines[0]!, /3 nodes {2}2 links, 1 connected {2}list ok$/);
  assert.match(lines[3]!, /^https:\/\/near\.example\/ +home +this node +\d+ of 50 /);
  assert.equal(lines.slice(4, 6).filter((line) => / connected /.test(line)).length, 1);
  const [dead] = lines.slice(7).filter((line) => line.includes("127.0.0.1:9/"));
  assert.match(dead!, /peer +us +(waiting|connecting) +\S+ +7 /);
  for (const line of lines) assert.ok(line.length <= 120, line);

  await using json = start(["top", "--cluster", "--once", "--json", "--admin", relay.adminUrl]);
  assert.equal(await json.ended(), 0, json.output());
  const { time, self, links } = JSON.parse(json.output());
  assert.ok(Date.parse(time) > 0);
  assert.equal(self.capacity.sessions, 50);
  assert.equal(links.length, 2);
});
