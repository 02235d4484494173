import assert from "node:assert/strict";
import { VERSIONS } from "../wire/versions.ts";
import fc from "fast-check";
import { exampleYaml } from "./example_yaml.ts";
import { loadConfig, parseConfig, type ParseOptions } from "./load.ts";
import { ConfigError, placeOf } from "./problems.ts";
import { SETTINGS } from "./settings.ts";

/** The problems of a text, each as "place  path: message". */
function problemsOf(yaml: string, options: ParseOptions = {}): string[] {
  try {
    parseConfig(yaml, options);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.code, "QUMO_CONFIG_INVALID");
    return error.message.split("\n").slice(1).map((line) => line.trim());
  }
  return [];
}

const originOf = (path: string, yaml: string, options: ParseOptions = {}) =>
  placeOf(parseConfig(yaml, options).settings.find((s) => s.setting.path === path)!.origin);

Deno.test("parseConfig() fills every default from an empty text", () => {
  const { config } = parseConfig("");
  assert.deepEqual(config.server.address, { hostname: "::", port: 4433 });
  assert.deepEqual(config.admin.address, { hostname: "127.0.0.1", port: 9090 });
  assert.equal(config.server.certFile, undefined);
  assert.equal(config.server.idleTimeout, 10_000);
  assert.equal(config.relay.groupCacheSize, 100);
  assert.equal(config.relay.maxGroupBytes, 32 * 1024 * 1024);
  assert.deepEqual(config.relay.upstreamUrl, []);
  assert.equal(config.relay.hopId, undefined);
  assert.equal(config.server.versions.length, VERSIONS.length);
});

Deno.test("parseConfig() takes a text of nothing but comments as empty", () => {
  assert.deepEqual(parseConfig("# nothing\n---\n").config, parseConfig("").config);
  assert.deepEqual(parseConfig("server:\nrelay:\n").config, parseConfig("").config);
});

Deno.test("exampleYaml() is accepted by parseConfig() and says the defaults", () => {
  assert.deepEqual(parseConfig(exampleYaml()).config, parseConfig("").config);
});

Deno.test("exampleYaml() is accepted with every commented key switched on", () => {
  const yaml = exampleYaml().replace(/^ {2}# (cert_file|key_file|hop_id):/gm, "  $1:");
  const { config } = parseConfig(yaml);
  assert.equal(config.server.certFile, "certs/server.crt");
  assert.equal(config.relay.hopId, 1_234_567_890n);
});

Deno.test("parseConfig() accepts the certificate flat and nested", () => {
  const flat = parseConfig("server: {cert_file: a.crt, key_file: a.key}").config.server;
  const nested = parseConfig("server: {tls: {cert_file: a.crt, key_file: a.key}}").config.server;
  assert.deepEqual([flat.certFile, flat.keyFile], ["a.crt", "a.key"]);
  assert.deepEqual(nested, flat);
});

Deno.test("parseConfig() accepts the older spellings of the relay and of the health address", () => {
  const { config } = parseConfig(
    "server:\n  health_check_addr: ':8080'\nrelay:\n  FrameCapacity: 4KB\n  MaxGroupCache: 7\n",
  );
  assert.deepEqual(config.admin.address, { hostname: "::", port: 8080 });
  assert.equal(config.relay.frameCapacity, 4096);
  assert.equal(config.relay.groupCacheSize, 7);
});

Deno.test("parseConfig() accepts two spellings that agree and refuses two that differ", () => {
  const both = (other: string) =>
    `server:\n  cert_file: a\n  key_file: k\n  tls:\n    cert_file: ${other}\n`;
  assert.equal(parseConfig(both("a")).config.server.certFile, "a");
  assert.deepEqual(problemsOf(both("b")), [
    "config.yaml:5:16  server.tls.cert_file: differs from server.cert_file at config.yaml:2:14; " +
    "keep one of the two",
  ]);
});

Deno.test("parseConfig() reports every problem with its place and a suggestion", () => {
  const yaml = [
    "server:",
    "  adress: x",
    '  idle_timeout: "5 sec"',
    "relay:",
    "  group_cache_size: many",
    "  frame_capacity: 32",
    "logging:",
    "  level: inof",
    "level: debug",
  ].join("\n");
  assert.deepEqual(problemsOf(yaml), [
    'config.yaml:2:3  server.adress: unknown key; did you mean "address"?',
    'config.yaml:3:17  server.idle_timeout: expected a duration from 1s to 24h, got "5 sec"; ' +
    'write a number and a unit, like "500ms", "10s", "2m" or "1h"',
    "config.yaml:5:21  relay.group_cache_size: expected a whole number from 1 to 10000, " +
    'got "many"',
    "config.yaml:6:19  relay.frame_capacity: expected a size from 64 to 1MB, got 32; write a " +
    'number of bytes, or a number and a unit, like "1500" or "4KB"',
    'config.yaml:8:10  logging.level: expected one of debug, info, warn, error, got "inof"; ' +
    "did you mean info?",
    'config.yaml:9:1  level: unknown key; did you mean "logging.level"?',
  ]);
});

Deno.test("parseConfig() says what a section or a list should have been", () => {
  assert.deepEqual(problemsOf("logging: debug\nserver:\n  versions: [moq-lite-4]\n"), [
    'config.yaml:1:10  logging: expected a map with level, format, access, got "debug"',
    `config.yaml:3:13  server.versions: expected a list of ${VERSIONS.join(", ")}, ` +
    'got "moq-lite-4"; did you mean moq-lite-04?',
  ]);
  assert.match(problemsOf("- a\n- b")[0]!, /^config.yaml:1:1 {2}expected a map with server, relay/);
  assert.match(
    problemsOf("server: {address: {port: 1}}")[0]!,
    /:19 {2}server.address: .*got a map$/,
  );
});

Deno.test("parseConfig() points at YAML that cannot be read and at a repeated key", () => {
  assert.match(problemsOf("relay: [1,\n")[0]!, /^config.yaml:2:1 {2}cannot be read as YAML: /);
  assert.match(problemsOf("a: b: c\n")[0]!, /^config.yaml:1:4 {2}cannot be read as YAML: /);
  assert.deepEqual(problemsOf("relay:\n  linger: 1s\n  linger: 2s\n"), [
    "config.yaml:3:3  relay.linger: repeated key, already at line 2; keep one of the two",
  ]);
});

Deno.test("parseConfig() checks settings that only together are wrong", () => {
  assert.match(problemsOf("server: {cert_file: a}")[0]!, /needs server.key_file/);
  assert.match(problemsOf("server: {key_file: a}")[0]!, /needs server.cert_file/);
  assert.match(
    problemsOf("server: {idle_timeout: 3s}")[0]!,
    /:24 {2}server.idle_timeout: .*shorter/,
  );
  assert.match(problemsOf("relay: {upstream_backoff_min: 20s}")[0]!, /must not exceed/);
  assert.match(problemsOf("cluster: {keep_alive: 2s}")[0]!, /must be shorter/);
  assert.match(problemsOf("cluster: {backoff_min: 6s}")[0]!, /must not exceed/);
  assert.match(problemsOf("admin: {address: ':4433'}")[0]!, /also taken by the public HTTP/);
  assert.deepEqual(problemsOf("admin: {address: ':4433'}\nserver: {http: false}"), []);
});

Deno.test("parseConfig() wants groups kept for as long as a lost link may be unnoticed, where there are links", () => {
  const links = [
    "relay: {upstream_url: 'https://a.example'",
    "cluster: {nodes: 'https://a.example'}\nrelay: {linger: 1s",
    "cluster: {dns: 'a.example'}\nrelay: {linger: 1s",
  ];
  for (const yaml of links) {
    assert.deepEqual(problemsOf(`${yaml}}`), []);
    const [problem] = problemsOf(`${yaml}, max_age: 4999ms}`);
    assert.match(problem!, /relay\.max_age .*at least twice .*: 5000ms; raise it/);
  }
  const slow = "cluster: {idle_timeout: 9s}\nrelay: {upstream_url: 'https://a.example'}";
  assert.match(problemsOf(slow)[0]!, /^config.yaml:1:25 {2}cluster.idle_timeout: .*19000ms/);
  assert.deepEqual(problemsOf("relay: {max_age: 1s}"), []);
});

Deno.test("parseConfig() switches the admin interface off with an empty text or off", () => {
  assert.equal(parseConfig("admin: {address: off}").config.admin.address, undefined);
  assert.equal(parseConfig("admin: {address: ''}").config.admin.address, undefined);
});

Deno.test("parseConfig() takes upstream URLs of the four schemes and no other", () => {
  for (const scheme of ["https", "http", "moqt", "moql"]) {
    const { config } = parseConfig(`relay: {upstream_url: "${scheme}://relay.example:1/x"}`);
    assert.deepEqual(config.relay.upstreamUrl, [`${scheme}://relay.example:1/x`]);
  }
  for (const url of ["ftp://a", "relay.example", "moqt:relay", "https://", "moqt:///x"]) {
    assert.equal(problemsOf(`relay: {upstream_url: "${url}"}`).length, 1, url);
  }
});

Deno.test("parseConfig() takes a number of workers, or as many as there are processors", () => {
  const of = (text: string) => parseConfig(`server: { workers: ${text} }`).config.server.workers;
  assert.deepEqual([of("1"), of("3"), of('"4"')], [1, 3, 4]);
  assert.equal(of("auto"), Math.min(64, navigator.hardwareConcurrency));
  for (const text of ["0", "65", "1.5", "many", '""']) assert.throws(() => of(text), text);
  const wrong = (yaml: string) => problemsOf(yaml).join("\n");
  assert.match(
    wrong("server: { workers: 2 }\nrelay: { group_cache_size: 7 }"),
    /relay.group_cache_size must be at least 8/,
  );
  assert.match(wrong('server: { workers: 3, address: ":65534" }'), /no ports above 65535/);
});

Deno.test("parseConfig() keeps all 62 bits of a hop id", () => {
  assert.equal(
    parseConfig("relay: {hop_id: 4611686018427387903}").config.relay.hopId,
    2n ** 62n - 1n,
  );
  assert.equal(problemsOf("relay: {hop_id: 4611686018427387904}").length, 1);
  assert.equal(problemsOf("relay: {hop_id: 0}").length, 1);
});

Deno.test("a flag wins over a variable, a variable over the file, the file over the default", () => {
  const yaml = "relay:\n  linger: 1s\n";
  const env = { QUMO_RELAY_LINGER: "2s" };
  const flags = { "relay.linger": "3s" };
  const lingerOf = (y: string, o: ParseOptions) => parseConfig(y, o).config.relay.linger;
  assert.equal(lingerOf(yaml, {}), 1_000);
  assert.equal(lingerOf(yaml, { env }), 2_000);
  assert.equal(lingerOf(yaml, { env, flags }), 3_000);
  assert.equal(originOf("relay.linger", ""), "default");
  assert.equal(originOf("relay.linger", yaml), "config.yaml:2:11");
  assert.equal(originOf("relay.linger", yaml, { env }), "QUMO_RELAY_LINGER");
  assert.equal(originOf("relay.linger", yaml, { env, flags }), "--relay.linger");
});

Deno.test("parseConfig() checks a value even when a stronger source hides it", () => {
  const flags = { "logging.level": "warn" };
  assert.equal(problemsOf("logging: {level: loud}", { flags }).length, 1);
});

Deno.test("every setting reads its default back from its variable, as from the file", () => {
  const env = Object.fromEntries(SETTINGS.flatMap((s) => {
    return s.byDefault === undefined ? [] : [[s.env, String(s.byDefault)]];
  }));
  assert.deepEqual(parseConfig("", { env }).config, parseConfig("").config);
});

Deno.test("a wrong variable is reported by its name, a wrong flag by its own", () => {
  const env = { QUMO_RELAY_GROUP_CACHE_SIZE: "lots" };
  const flags = { "server.http": "maybe" };
  assert.deepEqual(problemsOf("", { env, flags }), [
    "QUMO_RELAY_GROUP_CACHE_SIZE  relay.group_cache_size: expected a whole number from 1 to " +
    '10000, got "lots"',
    '--server.http  server.http: expected true or false, got "maybe"',
  ]);
});

Deno.test("a misspelt QUMO_ variable is warned about, one of another program is not", () => {
  const env = { QUMO_SERVER_ADRESS: ":1", QUMO_THEME: "dark", QUMO_LOGGING_LEVEL: "warn" };
  assert.deepEqual(parseConfig("", { env }).warnings, [
    "QUMO_SERVER_ADRESS is not a setting and does nothing; did you mean QUMO_SERVER_ADDRESS?",
  ]);
});

Deno.test("an empty variable counts as absent", () => {
  assert.equal(originOf("server.address", "", { env: { QUMO_SERVER_ADDRESS: "" } }), "default");
});

Deno.test("RELAIS_ variables are understood below QUMO_ ones", () => {
  const env = {
    RELAIS_SERVER_HOST: "0.0.0.0",
    RELAIS_SERVER_PORT: "8080",
    RELAIS_LOGGING_LEVEL: "debug",
  };
  const { config } = parseConfig("server: {address: ':1'}", { env });
  assert.deepEqual(config.server.address, { hostname: "0.0.0.0", port: 8080 });
  assert.equal(config.logging.level, "debug");
  const qumo = { ...env, QUMO_SERVER_ADDRESS: "[::1]:2", QUMO_LOGGING_LEVEL: "error" };
  const { config: won } = parseConfig("", { env: qumo });
  assert.deepEqual(won.server.address, { hostname: "::1", port: 2 });
  assert.equal(won.logging.level, "error");
});

Deno.test("RELAIS_SERVER_HOST or RELAIS_SERVER_PORT alone leave the other at its default", () => {
  const of = (env: Record<string, string>) => parseConfig("", { env }).config.server.address;
  assert.deepEqual(of({ RELAIS_SERVER_HOST: "::1" }), { hostname: "::1", port: 4433 });
  assert.deepEqual(of({ RELAIS_SERVER_PORT: "80" }), { hostname: "::", port: 80 });
  assert.match(
    problemsOf("", { env: { RELAIS_SERVER_PORT: "http" } })[0]!,
    /^RELAIS_SERVER_PORT {2}/,
  );
  assert.match(
    problemsOf("", { env: { RELAIS_SERVER_HOST: "a b" } })[0]!,
    /^RELAIS_SERVER_HOST {2}/,
  );
});

Deno.test("no token and no password of a URL reaches a message or a listing", () => {
  const url = (scheme: string) =>
    `${scheme}://me:hunter2@relay.example/x?a=1&jwt=s3cret&token=s3cret`;
  const texts = [
    ...problemsOf(`relay: {upstream_url: "${url("ftp")}"}`),
    ...problemsOf(`"${url("https")}": 1`),
    ...problemsOf(`relay: "${url("https")}"`),
    ...problemsOf("", { env: { QUMO_RELAY_UPSTREAM_URL: url("ftp") } }),
    ...parseConfig(`relay: {upstream_url: "${url("https")}"}`).settings.map((s) => String(s.value)),
  ];
  assert.ok(texts.length > 4);
  for (const text of texts) assert.doesNotMatch(text, /s3cret|hunter2/);
  assert.ok(texts.some((text) => text.includes("jwt=***")));
  const { settings } = parseConfig('storage: {redis_url: "redis://me:hun@ter2@10.0.0.2/1"}');
  const redis = settings.find(({ setting }) => setting.path === "storage.redis_url");
  assert.equal(redis!.value, "redis://me:***@10.0.0.2/1");
});

Deno.test("parseConfig() throws ConfigError or nothing, whatever the text", () => {
  const word = fc.constantFrom(
    "server",
    "relay",
    "tls",
    "address",
    ":",
    " ",
    "\n",
    "  ",
    "- ",
    "[",
    "&a",
    "*a",
    "<<",
    "1",
    '"',
    "null",
  );
  const examples: [string[]][] = [[["- ", "*a"]], [["server", ":", " ", "*a"]]];
  fc.assert(
    fc.property(fc.array(word, { maxLength: 20 }), (words) => {
      try {
        parseConfig(words.join(""));
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error));
        assert.ok(error.problems.length > 0);
      }
    }),
    { examples, numRuns: 500 },
  );
});

Deno.test("parseConfig() names an alias without its anchor, with its place", () => {
  assert.deepEqual(problemsOf("server:\n  address: *gone\n"), [
    "config.yaml:2:12  the alias *gone has no anchor &gone before it",
  ]);
});

Deno.test("loadConfig() says what to do about a file that is not there", async () => {
  await assert.rejects(loadConfig({ file: "nowhere/relay.yaml" }), (error: unknown) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /^Cannot use nowhere\/relay.yaml: no such file; write one with /);
    return true;
  });
});

Deno.test("loadConfig() refuses a directory and a file that is not text", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await assert.rejects(loadConfig({ file: dir }), /Cannot use .*: is a directory/i);
    await Deno.writeFile(`${dir}/a.yaml`, Uint8Array.of(0xff, 0xfe, 0x00));
    await assert.rejects(loadConfig({ file: `${dir}/a.yaml` }), /is not UTF-8 text/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("loadConfig() reads the named file and names it in its origins", async () => {
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  try {
    await Deno.writeTextFile(file, "logging:\n  level: debug\n");
    const loaded = await loadConfig({ file });
    assert.equal(loaded.file, file);
    assert.equal(loaded.config.logging.level, "debug");
    const level = loaded.settings.find((s) => s.setting.path === "logging.level")!;
    assert.equal(placeOf(level.origin), `${file}:2:10`);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("certificates by host name are pairs of files for TCP; what is written otherwise hears how", () => {
  const { server } = parseConfig('server: { certificates: ["a.crt a.key"] }').config;
  assert.deepEqual(server.certificates, ["a.crt a.key"]);
  const list = "[{ cert_file: a.crt, key_file: a.key }]";
  assert.throws(
    () => parseConfig(`server: { tls: { certificates: ${list} } }`),
    /for TCP alone \(server\.certificates: .*Better name every host in one \(server\.cert_file\)/,
  );
  for (const wrong of [list, "[a.crt]", '["a b c"]', '[""]']) {
    assert.throws(
      () => parseConfig(`server: { certificates: ${wrong} }`),
      /a certificate file and its key file/,
    );
  }
});
