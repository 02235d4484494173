import assert from "node:assert/strict";
import { nodesInOrder, ofMost } from "./cluster_nodes.ts";

const node = (url: string, region: string | null = null, hop: string | null = null) => ({
  url,
  region,
  hop,
});

Deno.test("nodesInOrder() has this node first, the others by region and URL, and none without its own link", () => {
  const links = [
    { url: "https://b/", hop: null, state: "waiting" },
    { url: "https://c/", hop: "9", state: "standby" },
    { url: "192.0.2.7:5000", hop: "9", state: "connected" },
    { url: "https://parent/", hop: null, state: "connected" },
  ];
  const nodes = [node("https://d/", "us"), node("https://c/", "us", "9"), node("https://b/", "eu")];
  const ordered = nodesInOrder(node("https://z/", "us"), nodes, links);
  assert.deepEqual(ordered.map(({ url, stands }) => [url, stands]), [
    ["https://z/", "this node"],
    ["https://b/", "waiting"],
    ["https://c/", "connected"],
    ["https://d/", "no link"],
  ]);
  assert.equal(nodesInOrder(undefined, nodes, []).length, 3);
});

Deno.test("ofMost() tells how much of how much, as far as either is known", () => {
  const text = (value: number) => `${value}%`;
  assert.equal(ofMost(12, 100, text), "12% of 100%");
  assert.equal(ofMost(12, undefined, text), "12%");
  assert.equal(ofMost(undefined, 100, text), "– of 100%");
  assert.equal(ofMost(undefined, undefined, text), "–");
});
