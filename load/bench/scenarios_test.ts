import assert from "node:assert/strict";
import { UsageError } from "../../base/errors.ts";
import { drawPlan, expectedPerSecond } from "./plan.ts";
import { randomOf } from "../figures/range.ts";
import { loadTexts, parseScenario, SCENARIOS, specOf } from "./scenarios.ts";

async function specFor(texts: Record<string, string>, scenario?: string) {
  return specOf(await loadTexts(texts, scenario));
}

for (const name of Object.keys(SCENARIOS)) {
  Deno.test(`the scenario ${name} is a load that can be planned`, async () => {
    const spec = await specFor({}, name);
    const { viewers } = drawPlan(spec, "b", randomOf(1));
    assert.ok(viewers.length > 0 && viewers.every(({ startMs }) => startMs < spec.rampMs));
  });
}

Deno.test("a flag overrules the scenario, the scenario the defaults", async () => {
  const spec = await specFor({ viewers: "7" }, "audio");
  assert.deepEqual([spec.viewers.max, spec.fps.max, spec.publishers.max], [7, 50, 1]);
});

Deno.test("parseScenario() reads keys and values, and names the line of a wrong key", () => {
  const text = '# a load\nviewers: 10:20  # some\n\nframe-size: "4KB"\nstay:\n';
  assert.deepEqual(parseScenario(text, "x.yaml"), {
    ...{ viewers: "10:20", "frame-size": "4KB", stay: "" },
  });
  assert.throws(() => parseScenario("fps: 1\nviewer: 2", "x.yaml"), (error) => {
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /^x\.yaml:2: "viewer" is no key of a load; did you mean "?viewers/);
    return true;
  });
});

for (
  const [key, value] of [
    ...[["fps", "x"], ["viewers", "2:1"], ["frame-size", "4"], ["group-size", "0"]],
    ...[["duration", "10"], ["duration", "10ms"], ["slow", "101"], ["watch", "none"], [
      "stay",
      "x",
    ]],
  ]
) {
  Deno.test(`--${key} ${value} is refused by name`, async () => {
    await assert.rejects(specFor({ [key!]: value! }), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, new RegExp(`^--${key} `));
      return true;
    });
  });
}

Deno.test("drawPlan() draws within the ranges and gives each viewer the tracks of one publisher", async () => {
  const spec = await specFor({
    ...{ publishers: "2", tracks: "1:3", viewers: "10", fps: "10:20", slow: "20", ramp: "1s" },
  });
  const plan = drawPlan(spec, "run", randomOf(3));
  assert.deepEqual(plan.publishers.map(({ broadcast }) => broadcast), ["run/0", "run/1"]);
  for (const { tracks, fps } of plan.publishers) {
    assert.ok(tracks >= 1 && tracks <= 3 && fps >= 10 && fps <= 20);
  }
  for (const [i, viewer] of plan.viewers.entries()) {
    const { broadcast, tracks } = plan.publishers[i % 2]!;
    assert.deepEqual(
      viewer.watch,
      Array.from({ length: tracks }, (_, t) => ({ broadcast, track: `track${t}` })),
    );
    assert.equal(viewer.startMs, i * 100);
  }
  assert.equal(plan.viewers.filter(({ slow }) => slow).length, 2);
  assert.deepEqual(drawPlan(spec, "run", randomOf(3)), plan);
});

Deno.test("expectedPerSecond() counts every track of every viewer", async () => {
  const spec = await specFor({
    publishers: "3",
    tracks: "2",
    viewers: "5",
    fps: "4",
    watch: "all",
  });
  assert.equal(expectedPerSecond(spec, drawPlan(spec, "b", Math.random)), 5 * 3 * 2 * 4);
});
