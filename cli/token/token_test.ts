import assert from "node:assert/strict";
import { start } from "../../tests/support/program.ts";

async function token(args: readonly string[], input = ""): Promise<[code: number, out: string]> {
  const stdin = new Response(input).body!;
  await using program = start(["token", ...args], { stdin });
  return [await program.ended(), program.output()];
}

Deno.test("token generates, signs, verifies and inspects; a public half verifies and cannot sign", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const [key, open] = [`${dir}/a/key.jwk`, `${dir}/key.pub`];
    const made = ["generate", "--algorithm", "ES256", "--id", "k1", "--out", key, "--public", open];
    assert.deepEqual(await token(made), [0, ""]);
    assert.equal((await Deno.stat(key)).mode! & 0o777, 0o600);
    assert.match((await token(made))[1], /is there already/);
    const [, text] = await token([
      ...["sign", "--key", key, "--root", "/rooms/1/", "--publish", "a", "--publish=b"],
      ...["--subscribe", "", "--ttl", "1h", "--issued", "1767225600", "--sub", "me"],
    ]);
    const [code, said] = await token(["verify", "--key", open], text);
    const { exp, ...rest } = JSON.parse(said);
    assert.equal(code, 0);
    assert.ok(exp > Date.now() / 1000);
    assert.deepEqual(rest, {
      root: "rooms/1",
      put: ["a", "b"],
      get: [""],
      iat: 1767225600,
      sub: "me",
    });
    assert.match((await token(["inspect"], text))[1], /"kid": "k1"/);
    assert.match((await token(["sign", "--key", open, "--publish", "a"]))[1], /"key_ops"/);
    const [bad, why] = await token(["verify", "--key", open], text.slice(0, 40) + text.slice(41));
    assert.deepEqual([bad, why.includes(text.slice(50, 70))], [1, false]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("token signs for a node of a cluster, and a key with a scope does so only if that allows it", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const sign = ["sign", "--publish", "", "--subscribe", "", "--peer", "--ttl", "1h"];
    const scope = ["--publish", "", "--subscribe", ""];
    const rows: [name: string, flags: string[], said: RegExp][] = [
      ["free", [], /"peer": true/],
      ["scoped", scope, /its scope does not allow/],
      ["allowed", [...scope, "--peer"], /"peer": true/],
    ];
    for (const [name, flags, said] of rows) {
      const key = `${dir}/${name}.jwk`;
      await token(["generate", "--out", key, ...flags]);
      const [, text] = await token([...sign, "--key", key]);
      const shown = text.startsWith("ey")
        ? (await token(["inspect"], text.split("\n")[0]))[1]
        : text;
      assert.match(shown, said, name);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("token says what is wrong with a command line, with code 2", async () => {
  const wrong: [args: string[], said: RegExp][] = [
    [[], /generate, sign, verify, inspect/],
    [["sign", "--publish", "a"], /--key FILE/],
    [["sign", "--key", "x"], /--publish or --subscribe/],
    [["sign", "--key", "x", "--publish", "a/**/b/**"], /--publish: "\*\*"/],
    [["sign", "--key", "x", "--publish", "a", "--ttl", "soon"], /--ttl/],
    [["generate", "--algorithm", "ES512"], /did you mean HS512/],
    [["generate", "--public", "x"], /no public half/],
    [["generate", "--id", "../x"], /--id/],
  ];
  await Promise.all(wrong.map(async ([args, said]) => {
    const [code, out] = await token(args);
    assert.match(out, said);
    assert.equal(code, 2, args.join(" "));
  }));
});
