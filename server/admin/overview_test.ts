import assert from "node:assert/strict";
import { sampleSnapshot } from "../../tests/support/fixtures/metrics.ts";
import { RelayUnderTest } from "../../tests/support/fixtures/http.ts";
import { metrics } from "./overview.ts";

Deno.test("metrics() adds the threads up: numbers, answers by status, sessions; of the delay it is the longest", async () => {
  await using under = new RelayUnderTest();
  const other = { ...sampleSnapshot(), linked: [], eventLoopDelaySeconds: 1e6 };
  // deno-lint-ignore no-explicit-any
  const others = { ask: () => Promise.resolve([other, other]) as any };
  const alone = await metrics(under.view());
  const all = await metrics(under.view({ others }));
  assert.equal(alone.workers, 1);
  assert.equal(all.workers, 3);
  assert.equal(all.sessions.opened, 2 * other.sessions.opened);
  assert.equal(all.sessions.open.length, 2 * other.sessions.open.length);
  assert.deepEqual([...all.webTransportAnswers], [[200, 30], [403, 32], [404, 34]]);
  assert.equal(all.media.bytesOut, 2 * other.media.bytesOut);
  assert.equal(all.limited.cache, 2 * other.limited.cache);
  assert.ok(all.heap.used > 2 * other.heap.used);
  assert.equal(all.eventLoopDelaySeconds, other.eventLoopDelaySeconds);
});
