import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { parseConfig } from "./load.ts";
import { ConfigError, placeOf } from "./problems.ts";

function problemsOf(yaml: string): string[] {
  try {
    parseConfig(yaml, { file: "conf/c.yaml" });
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message.split("\n").slice(1).map((line) => line.trim());
  }
}

const LIST = `plugins:
  - name: door
    type: rtsp
    kind: ingress
    options: &door
      url: rtsp://10.0.0.7/
      renditions:
        - { width: 640 }
  - name: clock.2
    module: ./own/clock.ts
    enabled: false
    options: *door
  - { name: package, module: "npm:a-plugin@1.0.0", options: }
`;

Deno.test("parseConfig() reads the instances of plugins, modules from where the file is", () => {
  const { plugins } = parseConfig(LIST, { file: "conf/c.yaml" });
  const [door, clock, npm] = plugins.map(({ origin: _, ...rest }) => rest);
  const options = { url: "rtsp://10.0.0.7/", renditions: [{ width: 640 }] };
  const path = (n: number) => ({ path: `plugins.${n}` });
  assert.deepEqual(door, {
    ...{ name: "door", plugin: "rtsp", kind: "ingress", enabled: true, options, ...path(0) },
  });
  const module = new URL("./own/clock.ts", pathToFileURL("conf/c.yaml")).href;
  assert.deepEqual(clock, { name: "clock.2", module, enabled: false, options, ...path(1) });
  assert.deepEqual([npm!.module, npm!.options], ["npm:a-plugin@1.0.0", {}]);
  assert.deepEqual(parseConfig("plugins:\n").plugins, []);
});

Deno.test("An instance knows where each of its options stands", () => {
  const { plugins: [door, , npm] } = parseConfig(LIST, { file: "c.yaml" });
  assert.equal(placeOf(door!.origin()), "c.yaml:3:11");
  assert.equal(placeOf(door!.origin({ path: ["url"] })), "c.yaml:6:12");
  assert.equal(placeOf(door!.origin({ path: ["url"], key: true })), "c.yaml:6:7");
  assert.equal(placeOf(door!.origin({ path: ["renditions", 0, "width"] })), "c.yaml:8:20");
  // What is not there is blamed on what is around it.
  assert.equal(placeOf(door!.origin({ path: ["renditions", 0, "height"] })), "c.yaml:8:11");
  assert.equal(placeOf(door!.origin({ path: ["codec"] })), "c.yaml:6:7");
  assert.equal(placeOf(npm!.origin({ path: ["codec"] })), "c.yaml:13:5");
});

Deno.test("parseConfig() says all that is wrong with instances, each with its place", () => {
  assert.deepEqual(problemsOf("plugins: rtsp"), [
    'conf/c.yaml:1:10  plugins: expected a list of instances, each with a name, got "rtsp"',
  ]);
  const yaml = `plugins:
  - rtsp
  - { nam: a, plugin: x }
  - { name: "a b", plugin: x }
  - { name: a, plugin: x, kind: ingres, enabled: 1, options: [] }
  - { name: b }
  - { name: a, plugin: x, type: y }
  - { name: c, module: "https://x.example/p.ts" }
`;
  assert.deepEqual(
    problemsOf(yaml),
    [
      "conf/c.yaml:2:5  plugins.0: expected a map with name, kind, plugin, type, module, enabled, options, " +
      'got "rtsp"',
      'conf/c.yaml:3:7  plugins.1.nam: unknown key; did you mean "name"?',
      "conf/c.yaml:3:5  plugins.1: needs a `name`, by which logs and the API call it",
      "conf/c.yaml:4:13  plugins.2.name: expected a name: letters, digits, dots, dashes and underscores, at " +
      'most 64, got "a b"',
      'conf/c.yaml:5:33  plugins.3.kind: expected one of ingress, transform, egress, got "ingres"; did you ' +
      "mean ingress?",
      "conf/c.yaml:5:50  plugins.3.enabled: expected true or false, got 1",
      "conf/c.yaml:5:62  plugins.3.options: expected a map, got a list",
      "conf/c.yaml:6:5  plugins.4: needs `plugin`, the name of one, or `module`, the file of one",
      'conf/c.yaml:7:13  plugins.5.name: "a" is taken, at line 5; choose another',
      "conf/c.yaml:7:33  plugins.5.type: differs from `plugin`; keep one of the two",
      'conf/c.yaml:8:24  plugins.6.module: expected a file like "./my_plugin.ts", from where this file is, ' +
      'or a package like "npm:name@1.2.3", got "https://x.example/p.ts"',
    ].sort((a, b) => placeNumbers(a) - placeNumbers(b)),
  );
});

const placeNumbers = (line: string) => {
  const [, row, column] = /:(\d+):(\d+)/.exec(line)!;
  return Number(row) * 1000 + Number(column);
};

Deno.test("storage.type redis needs a URL; RELAIS_ variables set both below QUMO_ ones", () => {
  assert.match(
    problemsOf("storage: {type: redis}")[0]!,
    /storage\.type redis needs storage\.redis_url/,
  );
  const env = {
    RELAIS_STORAGE_TYPE: "redis",
    RELAIS_STORAGE_REDIS_URL: "redis://10.0.0.1:6379",
    QUMO_STORAGE_REDIS_URL: "redis://me:hunter2@10.0.0.2/1",
  };
  const { config, settings } = parseConfig("", { env });
  assert.equal(config.storage.type, "redis");
  assert.equal(config.storage.redisUrl, "redis://me:hunter2@10.0.0.2/1");
  assert.ok(!JSON.stringify(settings.map(({ value }) => String(value))).includes("hunter2"));
});
