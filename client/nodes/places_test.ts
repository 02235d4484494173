import assert from "node:assert/strict";
import { ConnectFailed } from "../../transport/errors.ts";
import type { AskRoute, NamedNode } from "./ask_route.ts";
import { Places, type PlacesOptions } from "./places.ts";

const { signal } = new AbortController();
const urls = (...hosts: string[]) => hosts.map((host) => new URL(`https://${host}.example/live`));
const named = (...hosts: string[]): NamedNode[] =>
  hosts.map((host) => ({ url: `https://${host}.example/`, region: "eu" }));
const status = (code: number) => new ConnectFailed("https://a.example/", "refused", code);
const hostOf = ({ host }: URL) => host.replace(".example", "");

/** Places whose sessions stand as soon as they are dialed. */
function setUp(listed: readonly URL[], options: PlacesOptions = {}) {
  const places = new Places(listed, { random: () => 0, ...options });
  const dialed: string[] = [];
  const dial = places.dialing((url) => {
    dialed.push(url.href);
    return Promise.resolve({} as never);
  });
  return { places, dialed, dial: async (url: URL) => void await dial(url, signal) };
}

/** What is dialed when one attempt after another fails. */
async function tries(
  { places, dial }: ReturnType<typeof setUp>,
  from: URL,
  why: unknown,
  count: number,
): Promise<string[]> {
  const out: string[] = [];
  for (let at = from; out.length < count;) {
    const { url, fresh } = await places.next(at, why, signal);
    out.push(hostOf(url) + (fresh ? "" : " again"));
    await dial(url);
    at = url;
  }
  return out;
}

Deno.test("after a loss every other place is tried once, the lost one last, and then all again", async () => {
  const [a, b, c] = urls("a", "b", "c") as [URL, URL, URL];
  const up = setUp([a, b, c]);
  await up.dial(a);
  up.places.lasted(a);
  assert.deepEqual(await tries(up, a, "lost", 5), ["b", "c", "a", "b again", "c"]);
});

Deno.test("clients of a lost node spread over the others", async () => {
  const [a, ...others] = urls("a", "b", "c", "d") as [URL, ...URL[]];
  const counts = new Map<string, number>();
  let seed = 1;
  const random = () => (seed = seed * 48271 % 2147483647) / 2147483647;
  for (let i = 0; i < 300; i++) {
    const { places } = setUp([a, ...others], { random });
    const { url } = await places.next(a, "lost", signal);
    counts.set(hostOf(url), (counts.get(hostOf(url)) ?? 0) + 1);
  }
  for (const host of ["b", "c", "d"]) assert.ok(counts.get(host)! > 60, `${[...counts]}`);
});

Deno.test("a node that is full says where to go, in its order; the path and the query stay ours", async () => {
  const own = new URL("moqt://a.example:4433/live?jwt=t.o.k");
  const asked: string[] = [];
  const ask: AskRoute = ({ host }) => {
    asked.push(host);
    return Promise.resolve([
      { url: "https://b.example/", region: "eu" },
      { url: "http://c.example:81/other?x=1", region: "eu" },
      { url: "ftp://d.example/", region: "eu" },
    ]);
  };
  const up = setUp([own], { ask });
  const { url, fresh } = await up.places.next(own, status(503), signal);
  assert.deepEqual([url.href, fresh], ["moqt://b.example:443/live?jwt=t.o.k", true]);
  await up.dial(url);
  const after = await up.places.next(url, "unavailable", signal);
  assert.equal(after.url.href, "moqt://c.example:81/live?jwt=t.o.k");
  assert.ok(asked.includes("a.example:4433") && asked.includes("b.example:443"));
});

Deno.test("while everybody is full the rounds wait: no place is fresh twice", async () => {
  const [a] = urls("a") as [URL];
  const up = setUp([a], { ask: () => Promise.resolve(named("a", "b")) });
  await up.dial(a);
  assert.deepEqual(await tries(up, a, status(503), 5), ["b", "a again", "b", "a again", "b"]);
});

Deno.test("who answers is asked for the others, and an answer without nodes forgets none", async () => {
  const [a] = urls("a") as [URL];
  let answer: readonly NamedNode[] | undefined = named("b", "a");
  const up = setUp([a], { ask: () => Promise.resolve(answer) });
  await up.dial(a);
  assert.deepEqual(up.places.known(a).map(hostOf), ["a", "b"]);
  for (answer of [[], undefined]) {
    await up.dial(a);
    assert.deepEqual(up.places.known(a).map(hostOf), ["a", "b"]);
  }
});

Deno.test("after a loss the nodes of the same region come first", async () => {
  const [a] = urls("a") as [URL];
  const far = { url: "https://far.example/", region: "us" };
  const up = setUp([a], {
    ask: () => Promise.resolve([far, ...named("a", "near")]),
    random: () => 0.9,
  });
  await up.dial(a);
  up.places.lasted(a);
  assert.deepEqual(await tries(up, a, "lost", 3), ["near", "far", "a"]);
});

Deno.test("a GOAWAY leads to known nodes alone; the token goes nowhere else", async () => {
  const [a, b] = urls("a", "b") as [URL, URL];
  const up = setUp([a, b]);
  const goes = async (uri: string, policy: "same-host" | "follow" = "same-host") =>
    (await up.places.asked(uri, a, policy, signal)).href;
  assert.equal(await goes("https://b.example/elsewhere"), "https://b.example/live", "listed");
  assert.equal(await goes("moqt://b.example/"), "https://b.example/live", "and dialed as we dial");
  assert.equal(await goes("https://a.example:8443/x"), "https://a.example:8443/x", "the same host");
  assert.equal(await goes("https://evil.example/"), "https://b.example/live", "not that one");
  assert.equal(await goes("https://evil.example/", "follow"), "https://evil.example/");
  assert.equal(await goes(""), "https://b.example/live", "anywhere else");
  assert.equal(await goes("not a URL"), "https://b.example/live");
});

Deno.test("a node that nobody knew is looked for in /route before it is followed", async () => {
  const [a] = urls("a") as [URL];
  let known: readonly NamedNode[] = [];
  const { places } = setUp([a], { ask: () => Promise.resolve(known) });
  assert.equal(
    (await places.asked("https://c.example/", a, "same-host", signal)).host,
    "a.example",
  );
  known = named("c");
  assert.equal(
    (await places.asked("https://c.example/", a, "same-host", signal)).host,
    "c.example",
  );
});

Deno.test("the first session is opened at the first node that takes us, and no other node likes a refused token better", async () => {
  const listed = urls("a", "b", "c");
  const entered = async (answers: Readonly<Record<string, unknown>>, ask?: AskRoute) => {
    const { places, dial, dialed } = setUp(listed, { ask });
    const error = await places.enter(async (url) => {
      await dial(url);
      const no = answers[hostOf(url)];
      if (no !== undefined) throw no;
    }, signal).then(() => undefined, (error) => error);
    return { error, dialed: dialed.map((url) => hostOf(new URL(url))) };
  };
  const gone = new ConnectFailed("x", "nobody there");
  assert.deepEqual(await entered({}), { error: undefined, dialed: ["a"] });
  assert.deepEqual(await entered({ a: gone }), { error: undefined, dialed: ["a", "b"] });
  const refused = status(401);
  assert.deepEqual(await entered({ a: refused }), { error: refused, dialed: ["a"] });
  const full = status(503);
  const d = await entered({ a: full, b: gone, c: gone }, () => Promise.resolve(named("d")));
  assert.deepEqual(d.dialed, ["a", "d"]);
  const none = await entered({ a: gone, b: gone, c: full });
  assert.deepEqual([none.error, none.dialed], [full, ["a", "b", "c"]]);
});
