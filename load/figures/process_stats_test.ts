import assert from "node:assert/strict";
import { UsageError } from "../../base/errors.ts";
import { cpuTimes, fieldsOf, machineTimes, readProcess } from "./process_stats.ts";

const linux = Deno.build.os === "linux";

Deno.test("cpuTimes() finds the times behind any name a process can have", () => {
  const fields = Array.from({ length: 50 }, (_, i) => i + 3);
  assert.deepEqual(cpuTimes(`12 (a) S ( 1 2) ${["S", ...fields.slice(1)].join(" ")}`), [140, 150]);
});

Deno.test("fieldsOf() reads numbers and leaves texts out", () => {
  const fields = fieldsOf("Name:\tdeno\nVmRSS:\t   1234 kB\nvoluntary_ctxt_switches:\t7\n");
  assert.deepEqual([...fields], [["VmRSS", 1234], ["voluntary_ctxt_switches", 7]]);
});

Deno.test({
  name: "readProcess() tells of this very process",
  ignore: !linux,
  fn() {
    const { rssBytes, peakRssBytes, threads, userMs, voluntarySwitches } = readProcess(Deno.pid);
    assert.ok(rssBytes > 1 << 20 && peakRssBytes >= rssBytes, `${rssBytes} of ${peakRssBytes}`);
    assert.ok(threads > 1 && userMs > 0 && voluntarySwitches > 0);
  },
});

Deno.test("readProcess() says which process it cannot read", () => {
  assert.throws(() => readProcess(2 ** 30), (error) => {
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /^--pid: cannot read the figures of process 1073741824: /);
    return true;
  });
});

Deno.test({
  name: "machineTimes() has less busy time than time",
  ignore: !linux,
  fn() {
    const { busy, all } = machineTimes()!;
    assert.ok(busy > 0 && busy < all, `${busy} of ${all}`);
  },
});
