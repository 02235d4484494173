import assert from "node:assert/strict";
import { parseConfig } from "./load.ts";
import { ConfigError, placeOf } from "./problems.ts";

function problemsOf(yaml: string): string[] {
  try {
    parseConfig(yaml, { file: "c.yaml" });
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message.split("\n").slice(1).map((line) => line.trim());
  }
}

Deno.test("parseConfig() reads hooks with their defaults, in milliseconds", () => {
  const { hooks } = parseConfig(
    `hooks:
  - name: site
    url: https://example.org/qumo
    secret: s3cret
    events: [publish, unpublish]
    broadcasts: ["live/*"]
    timeout: 3s
  - name: on-air
    command: [/bin/sh, -c, "echo $QUMO_EVENT"]
`,
    { file: "c.yaml" },
  );
  const [site, lamp] = hooks.map(({ hook }) => hook);
  assert.deepEqual(site, {
    name: "site",
    url: "https://example.org/qumo",
    secret: "s3cret",
    secretFile: undefined,
    command: undefined,
    events: ["publish", "unpublish"],
    broadcasts: ["live/*"],
    timeoutMs: 3000,
    retries: 5,
    backoffMinMs: 1000,
    backoffMaxMs: 60_000,
    concurrency: 4,
    maxRate: 20,
    maxWaiting: 1000,
    viewerLingerMs: 5000,
  });
  assert.deepEqual(lamp!.command, ["/bin/sh", "-c", "echo $QUMO_EVENT"]);
  assert.deepEqual(lamp!.broadcasts, ["**"]);
  assert.equal(lamp!.events.length, 5);
  assert.equal(placeOf(hooks[0]!.origin("secret")), "c.yaml:4:13");
});

Deno.test("parseConfig() says every problem of every hook with its place, and shows no secret", () => {
  const problems = problemsOf(`hooks:
  - name: a
    url: ftp://example.org/
    secret: hidden
    events: [publish, unpublished]
    retires: 3
  - name: a
    command: []
    timeout: soon
  - url: https://example.org/
  - name: b
  - name: c
    url: https://example.org/
    command: [true]
  - name: d
    url: https://example.org/
  - name: e
    command: ["true"]
    secret: hidden
  - 7
`);
  assert.deepEqual(problems.map((line) => line.replace(/; known here.*/, "")), [
    'c.yaml:3:10  hooks.0.url: expected a URL that begins with https:// or http://, or "", got "ftp://example.org/"',
    "c.yaml:5:13  hooks.0.events: expected a list of publish, unpublish, first_viewer, last_viewer, recording_done, got " +
    '"unpublished"; did you mean unpublish?',
    'c.yaml:6:5  hooks.0.retires: unknown key; did you mean "retries"?',
    'c.yaml:7:11  hooks.1.name: "a" is taken, at line 2; choose another',
    "c.yaml:8:14  hooks.1.command: expected a list of texts, the program first, got none",
    'c.yaml:9:14  hooks.1.timeout: expected a duration from 100ms to 10m, got "soon"; write a number and a unit, like "500ms", "10s", "2m" or "1h"',
    "c.yaml:10:5  hooks.2: needs a `name`, by which logs, metrics and the API call it",
    "c.yaml:11:5  hooks.3: needs one of `url`, for a webhook, and `command`",
    "c.yaml:14:14  hooks.4.command: expected a list of texts, the program first, got true",
    "c.yaml:16:10  hooks.5.secret: a webhook needs one of `secret` and `secret_file`: requests are signed with it",
    "c.yaml:19:13  hooks.6.secret: is for a webhook; leave it out",
    "c.yaml:20:5  hooks.7: expected a map with name and url or command, got 7",
  ]);
  assert.ok(!problems.join().includes("hidden"));
  assert.match(problemsOf("hooks: 3")[0]!, /expected a list of hooks, each with a name, got 3/);
  assert.deepEqual(problemsOf("hooks:"), []);
});
