import assert from "node:assert/strict";
import fc from "fast-check";
import { BadNode, MAX_NODES, nodeOfJson, nodeOfUrl, nodesOfText } from "./node_text.ts";

Deno.test("nodeOfUrl() takes price and region off, and gives one text for URLs that mean the same", () => {
  assert.deepEqual(nodeOfUrl("https://A.Example:443?cost=5&region=eu#x"), {
    url: "https://a.example/",
    region: "eu",
    cost: 5,
  });
  assert.deepEqual(nodeOfUrl("moqt://A.Example:4433"), { url: "moqt://a.example:4433/" });
  assert.deepEqual(nodeOfUrl(" https://a.example/live/ "), { url: "https://a.example/live/" });
  const hash = "0".repeat(64);
  assert.equal(nodeOfUrl(`https://a/?cost=1&hash=${hash}`).url, `https://a/?hash=${hash}`);
  assert.equal(nodeOfUrl("https://[2001:DB8::1]:4433/").url, "https://[2001:db8::1]:4433/");
});

Deno.test("nodeOfUrl() refuses what is no node, and shows no token", () => {
  for (
    const text of [
      ...[
        "",
        "relay",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "ftp://a/",
        "https://",
        "redis://a",
      ],
      ...[
        "https://a/?jwt=hidden",
        "https://a/?x=hidden",
        "https://me:hidden@a/",
        "https://hidden@a/",
      ],
      ...[
        "https://a/?cost=-1",
        "https://a/?cost=9999999",
        "https://a/?cost=x",
        "https://a/?region=",
      ],
      ...["https://a/?region=%00", `https://a/${"x".repeat(2000)}`, "moqt:///x"],
    ]
  ) {
    assert.throws(() => nodeOfUrl(text), (error: unknown) => {
      assert.ok(error instanceof BadNode, text);
      assert.ok(!error.message.includes("hidden"), error.message);
      return true;
    }, text);
  }
});

Deno.test("nodesOfText() reads lines with remarks, and JSON of URLs and nodes", () => {
  const lines = "# nodes\nhttps://a/?cost=2\n\n  https://b/ # the second\r\n";
  assert.deepEqual(nodesOfText(lines), [{ url: "https://a/", cost: 2 }, { url: "https://b/" }]);
  const json = '["https://a/", {"url": "https://b/", "region": "eu", "cost": 3, "more": 1}]';
  assert.deepEqual(nodesOfText(json), [
    { url: "https://a/" },
    { url: "https://b/", region: "eu", cost: 3 },
  ]);
  assert.deepEqual(nodesOfText("[]"), []);
});

Deno.test("nodesOfText() takes all of a list or nothing", () => {
  const many = "https://a/\n".repeat(MAX_NODES + 1);
  for (
    const text of [
      ...[
        "",
        "\n# nothing\n",
        '["https://a/"',
        "[1]",
        "[null]",
        '[{"hop": "1"}]',
        '{"url": "https://a/"}',
      ],
      ...["https://a/\nhttps:/", '["https://a/", "ftp://b/"]', many, "<html>", "[[]]"],
    ]
  ) assert.throws(() => nodesOfText(text), BadNode, text.slice(0, 40));
});

Deno.test("nodeOfJson() refuses fields that are not what they should be", () => {
  const wrong = {
    url: [1, null, "x"],
    hop: [1, "0", "01", "-1", "x", String(2n ** 62n)],
    region: [1, "", "x".repeat(200), "a\u202eb"],
    version: [1, "a\nb"],
    draining: ["yes", 1],
    cost: [-1, 1.5, 1e9, "1"],
    load: [1, null, { cpu: "1" }, { sessions: -1 }, { mbps: 1e300 }],
    capacity: [1, { cpu: NaN }],
  };
  const good = { url: "https://a/", hop: "5", draining: false, load: { sessions: 1 } };
  assert.deepEqual(nodeOfJson(good), { ...good, load: { sessions: 1, mbps: 0, cpu: 0 } });
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      const text = `${name}: ${JSON.stringify(value)}`;
      assert.throws(() => nodeOfJson({ ...good, [name]: value }), BadNode, text);
    }
  }
});

Deno.test("nodesOfText() and nodeOfJson() throw nothing but BadNode, whatever they get", () => {
  const only = (read: () => unknown) => {
    try {
      read();
    } catch (error) {
      assert.ok(error instanceof BadNode, String(error));
    }
  };
  fc.assert(fc.property(fc.string(), (text) => {
    for (const each of [text, `https://${text}`, `moqt://a${text}`, `[${text}`]) {
      only(() => nodesOfText(each));
    }
  }));
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    only(() => nodeOfJson(value));
    only(() => nodeOfJson({ url: "https://a/", load: value, capacity: value, hop: value }));
  }));
});
