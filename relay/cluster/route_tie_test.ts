import assert from "node:assert/strict";
import { routeTie } from "./route_tie.ts";

/** The same by the book, in numbers of 64 bits. */
function fnv1a(path: string, hops: readonly bigint[]): bigint {
  const bytes = [...new TextEncoder().encode(path)].map(BigInt);
  for (const hop of hops) for (let i = 0n; i < 8n; i++) bytes.push((hop >> (8n * i)) & 0xffn);
  let hash = 0x420c_0dec_b00bn;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ byte) * 0x100_0000_01b3n);
  return hash;
}

Deno.test("routeTie() is FNV-1a of 64 bits over path and chain", () => {
  const chains = [[], [0n], [1n], [2n ** 53n - 1n], [2n ** 62n - 1n, 0xffff_ffffn, 1n << 40n]];
  for (const path of ["", "room/video", "übung/日本", "x".repeat(900)]) {
    for (const hops of chains) assert.equal(routeTie(path, hops), fnv1a(path, hops));
  }
});

Deno.test("routeTie() spreads equal routes over the nodes by their paths", () => {
  const first = new Map<bigint, number>();
  for (let i = 0; i < 900; i++) {
    const ties = [11n, 12n, 13n].map((node) => ({ node, tie: routeTie(`room/${i}`, [9n, node]) }));
    const { node } = ties.reduce((a, b) => a.tie < b.tie ? a : b);
    first.set(node, (first.get(node) ?? 0) + 1);
  }
  for (const node of [11n, 12n, 13n]) {
    assert.ok(first.get(node)! > 200, `${first.get(node)} of 900`);
  }
});
