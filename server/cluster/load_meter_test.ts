import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { Census, sharedCensus } from "../limits/census.ts";
import { LoadMeter } from "./load_meter.ts";
import type { NodeLoad } from "./node_info.ts";

Deno.test("LoadMeter measures sessions, megabits per second and CPU over all threads", () => {
  const shared = sharedCensus(2);
  const [a, b] = [new Census(shared, 0), new Census(shared, 1)];
  const clock = new ManualClock();
  let cpuMicros = 5_000_000;
  const meter = new LoadMeter({ census: a, clock, cores: 4, cpuMicros: () => cpuMicros });
  const told: NodeLoad[] = [];
  meter.start((load) => told.push(load));
  a.enter("192.0.2.1:1");
  b.enter("192.0.2.1:2");
  a.setSentBytes(1_024_000);
  b.setSentBytes(512_000);
  cpuMicros += 1_000_000;
  clock.advance(1000);
  assert.deepEqual(told, [{ sessions: 2, mbps: 12.288, cpu: 0.25 }]);
  cpuMicros += 9_000_000;
  clock.advance(1000);
  assert.deepEqual(told[1], { sessions: 2, mbps: 0, cpu: 1 });
  meter.stop();
  clock.advance(5000);
  assert.equal(told.length, 2);
});

Deno.test("LoadMeter is not led astray by a counter that wraps around or begins anew", () => {
  const census = new Census();
  const clock = new ManualClock();
  const bytes = (kilobytes: number) => kilobytes * 1024;
  census.setSentBytes(bytes(2 ** 32 - 100));
  const meter = new LoadMeter({ census, clock, cores: 1, cpuMicros: () => 0 });
  let mbps = 0;
  meter.start((load) => mbps = load.mbps);
  census.setSentBytes(bytes(2 ** 32 + 900));
  clock.advance(1000);
  assert.equal(mbps, 8.192);
  census.setSentBytes(0);
  clock.advance(1000);
  assert.equal(mbps, 0);
  meter.stop();
});
