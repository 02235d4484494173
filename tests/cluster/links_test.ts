/**
 * Links between nodes over real QUIC: who is taken in as a node, which of two links stays, and how soon a loss is seen.
 *
 * @module
 */
import assert from "node:assert/strict";
import { systemClock } from "../../base/clock.ts";
import { silent } from "../../base/logger.ts";
import { connect } from "../../client/mod.ts";
import { parseConfig } from "../../config/load.ts";
import { ClusterSecret } from "../../server/auth/cluster_secret.ts";
import { generateKey, keyJson } from "../../server/auth/keys/make_key.ts";
import { dialedNode } from "../../server/auth/node_names.ts";
import { signToken } from "../../server/auth/token.ts";
import { Pattern } from "../../wire/path_pattern.ts";
import { freePort } from "../support/borrowed.ts";
import { launch, type Launched, until } from "../support/server.ts";
import { ClusterNode, LIMIT_MS } from "./support/node.ts";
import type { LinkView } from "../../server/cluster/cluster_view.ts";

const SECRET = "a secret of all the nodes";

/** A file with a text, for one test. */
class TestFile implements AsyncDisposable {
  private constructor(readonly path: string) {}
  static async of(text: string): Promise<TestFile> {
    const file = new TestFile(await Deno.makeTempFile());
    await file.write(text);
    return file;
  }
  write(text: string): Promise<void> {
    return Deno.writeTextFile(this.path, text);
  }
  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.path);
  }
}

/** What a node dials to reach a thread of another one. */
const urlOf = ({ port, certificate }: Launched, thread = 0) =>
  `https://127.0.0.1:${port + thread}/?hash=${certificate.sha256.toHex()}`;

/** Gives a running node another list of nodes. */
async function list(node: Launched, flags: Record<string, string>, nodes: string[]) {
  const loaded = parseConfig("", {
    flags: { ...flags, "cluster.nodes": nodes.join(","), "server.address": "127.0.0.1:0" },
  });
  const outcome = await node.server.reload(loaded, node.certificate);
  assert.ok(outcome.applied.includes("cluster.nodes"));
}

const shown = (node: Launched): string[] =>
  node.server.view.cluster.links.map(({ dialed, state }: LinkView) =>
    `${dialed ? "dialed" : "incoming"} ${state}`
  );

async function shows(node: Launched, links: readonly string[]): Promise<void> {
  await until(() => JSON.stringify(shown(node)) === JSON.stringify(links), `${links}`, LIMIT_MS)
    .catch((error: Error) => assert.fail(`${error.message}; last: ${shown(node)}`));
}

for (const workers of [1, 2]) {
  Deno.test(`two nodes that dial each other keep the link of the lower hop id, with ${workers} threads`, async () => {
    await using secret = await TestFile.of(SECRET);
    const flags = {
      "cluster.secret_file": secret.path,
      "cluster.backoff_min": "50ms",
      "server.workers": String(workers),
      "auth.required": "true",
    };
    await using lower = await launch({ flags: { ...flags, "relay.hop_id": "11" } });
    {
      await using higher = await launch({ flags: { ...flags, "relay.hop_id": "22" } });
      // Each is dialed at its last thread, which does not dial itself.
      await list(higher, { ...flags, "relay.hop_id": "22" }, [urlOf(lower, workers - 1)]);
      await shows(higher, ["dialed connected"]);
      await shows(lower, ["incoming connected"]);
      await list(lower, { ...flags, "relay.hop_id": "11" }, [urlOf(higher, workers - 1)]);
      await shows(lower, ["dialed connected"]);
      await shows(higher, ["dialed standby", "incoming connected"]);
      const [own, theirs] = higher.server.view.cluster.links;
      assert.deepEqual([own!.hop, theirs!.hop, theirs!.url], ["11", "11", own!.url]);

      // The link that stays ends: the other one is dialed at once.
      await list(lower, { ...flags, "relay.hop_id": "11" }, []);
      await shows(higher, ["dialed connected"]);
      await shows(lower, ["incoming connected"]);
    }
    await shows(lower, []);
  });
}

Deno.test("a node is let in once both have the secret; it sees what is hidden and has no limits of strangers", async () => {
  await using secret = await TestFile.of(SECRET);
  await using other = await TestFile.of("the secret of another cluster");
  const flags = { "cluster.backoff_min": "50ms", "cluster.backoff_max": "100ms" };
  await using b = await launch({
    flags: {
      ...flags,
      "cluster.secret_file": secret.path,
      "auth.anonymous": "true",
      "limits.max_announcements": "1",
    },
  });
  const url = urlOf(b).replace("https:", "moqt:"); // by raw QUIC the token is in SETUP
  await using a = await launch({
    flags: { ...flags, "cluster.secret_file": other.path, "cluster.nodes": url },
  });
  const link = () => a.server.view.cluster.links[0]!;
  await until(() => link().lastError !== undefined, "the refusal");
  assert.deepEqual([link().state === "connected", shown(b)], [false, []]);
  await other.write(SECRET);
  await shows(a, ["dialed connected"]);
  await shows(b, ["incoming connected"]);

  await using publisher = await a.client();
  const paths = ["one", "two"];
  for (const path of paths) publisher.publish(path);
  await using hider = await connect(`moqt://127.0.0.1:${a.port}/.dot`, {
    hash: a.certificate.sha256,
  });
  hider.publish("three");
  paths.push(".dot/three");
  await until(() => paths.every((path) => b.server.relay.origin.find(path)), "all of them at b");
  await using viewer = await b.client();
  const heard = viewer.announced();
  const seen = [(await heard.next())?.path, (await heard.next())?.path];
  assert.deepEqual(seen.toSorted(), ["one", "two"], "a viewer is told nothing hidden");

  // A stranger has its limit, and is no node by saying so.
  await using stranger = await b.client("moqt", { token: await claim() });
  for (const path of ["three", "four"]) stranger.publish(path);
  await until(() => b.server.relay.hits.announcements === 1, "the limit of a stranger");
  assert.deepEqual(shown(b), ["incoming connected"]);
});

Deno.test("whoever is dialed gets a token that no other node takes, and that works once", async () => {
  await using secret = await TestFile.of(SECRET);
  const flags = { "cluster.secret_file": secret.path, "auth.required": "true" };
  await using b = await launch({ flags });
  await using c = await launch({ flags });
  const signer = new ClusterSecret({ file: secret.path, clock: systemClock, log: silent });
  const enters = async ({ port, certificate: { sha256: hash } }: Launched, token: string) => {
    const client = await connect(`https://127.0.0.1:${port}/`, { hash, token }).catch(() => {});
    await client?.[Symbol.asyncDispose]();
    return client !== undefined;
  };
  const dialed = [
    dialedNode(new URL(`https://127.0.0.1:${b.port}/`)),
    dialedNode(new URL(urlOf(b)), { hash: b.certificate.sha256 }),
  ];
  for (const node of dialed) {
    const token = await signer.sign(node);
    // Tests have one certificate, so it does not tell these two apart.
    if (node.cert === undefined) assert.equal(await enters(c, token), false, "another node");
    assert.equal(await enters(b, token), true);
    assert.equal(await enters(b, token), false, "a second time");
  }
  const rogue = dialedNode(new URL("https://127.0.0.1:1/"), { hash: new Uint8Array(32) });
  assert.equal(await enters(b, await signer.sign(rogue)), false);
});

/** A token that says of its holder that it is a node, by a key that nobody knows. */
async function claim(): Promise<string> {
  const all = [Pattern.parse("**")];
  const key = await generateKey({ alg: "HS256", kid: "mine" });
  return await signToken({ root: "", publish: all, subscribe: all, peer: true }, key);
}

Deno.test("cluster.token_file is read for each dial, and a token with the claim makes a node", async () => {
  const key = await generateKey({ alg: "HS256", kid: "k" });
  await using keyFile = await TestFile.of(JSON.stringify(keyJson(key)));
  await using token = await TestFile.of("");
  // By raw QUIC the order of the server counts: nodes offer each other nothing but the versions that suit them.
  const versions = "moq-transport-18,moq-lite-04,moq-lite-05,moq-lite-06";
  await using b = await launch({
    flags: { "auth.key_file": keyFile.path, "server.versions": versions },
  });
  await using a = await launch({
    flags: {
      "cluster.token_file": token.path,
      "cluster.nodes": urlOf(b).replace("https:", "moqt:"),
      "cluster.backoff_min": "20ms",
      "cluster.backoff_max": "50ms",
    },
  });
  const error = () => a.server.view.cluster.links[0]!.lastError ?? "";
  await until(() => /token_file .*empty/.test(error()), "what is wrong with the file");
  await token.write(await claim());
  await until(() => /code 2/.test(error()), "the refusal");
  const all = [Pattern.parse("**")];
  const rights = { root: "", publish: all, subscribe: all };
  await token.write(await signToken({ ...rights, peer: true }, key));
  await shows(a, ["dialed connected"]);
  await shows(b, ["incoming connected"]);
  const { url, version } = a.server.view.cluster.links[0]!;
  assert.equal(version, "moq-lite-05");
  assert.ok(!url.includes("jwt"), url);
});

Deno.test("a node that hangs is lost by its link while an ordinary session with it still waits", async () => {
  await using b = await ClusterNode.start({
    name: "b",
    port: freePort(),
    flags: ["--auth.anonymous", "true"],
  });
  await using a = await launch({ flags: { "cluster.nodes": b.url } });
  await shows(a, ["dialed connected"]);
  const ordinary = await connect(b.url);
  let lost = false;
  void ordinary.closed.then(() => lost = true);
  b.freeze();
  try {
    await until(() => shown(a)[0] !== "dialed connected", "the loss", LIMIT_MS);
    assert.equal(lost, false, "its idle time is that of server.idle_timeout");
  } finally {
    b.thaw();
  }
  await shows(a, ["dialed connected"]);
  await ordinary.close();
});

Deno.test("upstream relays come and go at a reload, and a reload that fails changes no link", async () => {
  await using parent = await launch();
  await using a = await launch();
  const reload = (flags: Record<string, string>) =>
    a.server.reload(
      parseConfig("", { flags: { ...flags, "server.address": "127.0.0.1:0" } }),
      a.certificate,
    );
  const upstream = { "relay.upstream_url": urlOf(parent) };
  await reload(upstream);
  await shows(a, ["dialed connected"]);
  const [{ session }] = a.server.view.cluster.links as [LinkView];
  await assert.rejects(
    reload({ "relay.upstream_url": "", "relay.upstream_ca_file": "/nowhere" }),
    /relay\.upstream_ca_file \/nowhere/,
  );
  await assert.rejects(
    reload({ ...upstream, "cluster.secret_file": "/nowhere" }),
    /cluster\.secret_file \/nowhere/,
  );
  await reload({ ...upstream, "cluster.idle_timeout": "1500ms" });
  assert.deepEqual(a.server.view.cluster.links.map((link) => link.session), [session]);
  await reload({});
  await shows(a, []);
  await until(() => parent.server.relay.sessionCount === 0, "the end of the link");
});

Deno.test("a node that has all the sessions it may have still takes the nodes of its cluster in", async () => {
  await using secret = await TestFile.of(SECRET);
  const flags = { "cluster.secret_file": secret.path };
  await using b = await launch({
    flags: { ...flags, "auth.anonymous": "true", "limits.max_sessions": "1" },
  });
  await using _viewer = await b.client();
  await assert.rejects(b.client("https"));
  await using a = await launch({ flags: { ...flags, "cluster.nodes": urlOf(b) } });
  await shows(a, ["dialed connected"]);
  await shows(b, ["incoming connected"]);
});

Deno.test("the node that dials watches more tracks at the other one than a viewer may have streams", async () => {
  await using secret = await TestFile.of(SECRET);
  const flags = { "cluster.secret_file": secret.path, "auth.anonymous": "true" };
  await using dialed = await launch({ flags });
  await using dialing = await launch({ flags: { ...flags, "cluster.nodes": urlOf(dialed) } });
  await shows(dialing, ["dialed connected"]);
  const names = Array.from({ length: 150 }, (_, i) => `t${i}`);
  await using publisher = await dialed.client("https", { transport: { maxBidiStreams: 400 } });
  const broadcast = publisher.publish("many");
  for (const name of names) broadcast.track(name).write(name);
  // Neither viewer has more streams than it may.
  await using one = await dialing.client();
  await using two = await dialing.client();
  const read = await Promise.all(names.map(async (name, i) => {
    const group = await (i % 2 === 0 ? one : two).subscribe("many", name).group();
    return new TextDecoder().decode((await group?.frame())?.payload);
  }));
  assert.deepEqual(read, names);
});
