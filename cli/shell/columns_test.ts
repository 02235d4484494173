import assert from "node:assert/strict";
import { columnsOf, cut } from "./columns.ts";

Deno.test("cut() counts wide characters twice and joined ones once, and never takes more than it may", () => {
  assert.equal(columnsOf("日本語"), 6);
  assert.equal(columnsOf("👩\u200d🚀e\u0301"), 3);
  assert.equal(cut("日本語", 6), "日本語");
  assert.equal(cut("日本語", 5), "日本…");
  assert.equal(cut("日本語", 4), "日…");
  for (const text of ["x".repeat(300), "日".repeat(300), "👩\u200d🚀".repeat(300)]) {
    for (let columns = 0; columns < 30; columns++) {
      assert.ok(columnsOf(cut(text, columns)) <= columns, `${text.slice(0, 8)} in ${columns}`);
    }
  }
});
