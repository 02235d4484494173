/** The files of deploy/cluster/kubernetes against the tools that read them, and against the relay. */
import assert from "node:assert/strict";
import { parse, parseAllDocuments } from "yaml";
import { COMMANDS } from "../../cli/commands.ts";
import { parseConfig } from "../../config/load.ts";
import { openApi } from "../../server/admin/openapi.ts";
import { ADMIN_ROUTES } from "../../server/admin/routes/routes.ts";
import { optional } from "../support/optional.ts";
import { type Manifest, programOf } from "./manifests.ts";

const TOP = new URL("../../", import.meta.url);
const KUBERNETES = new URL("deploy/cluster/kubernetes/", TOP);
const OVERLAYS = ["dns", "redis"];
const PATCHES = ["dns/nodes.yaml", "redis/nodes.yaml", "redis/services.yaml"];
const kubectl = { ignore: !optional("kubectl").ok };

const read = (path: string, base: URL) => Deno.readTextFile(new URL(path, base));

/** All manifests of one file. */
const manifestsIn = (text: string) =>
  parseAllDocuments(text).map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS() as Manifest;
  });

/** All manifests as they stand, and whether they are patches. What is no manifest is left out. */
async function written() {
  const found: (Manifest & { patch?: true })[] = [];
  for (const folder of ["base", ...OVERLAYS]) {
    for (const { name } of Deno.readDirSync(new URL(folder, KUBERNETES))) {
      const path = `${folder}/${name}`;
      if (!name.endsWith(".yaml")) continue;
      for (const manifest of manifestsIn(await read(path, KUBERNETES))) {
        if (manifest.kind === undefined || manifest.kind === "Kustomization") continue;
        found.push({ ...manifest, ...(PATCHES.includes(path) ? { patch: true } : {}) });
      }
    }
  }
  return found;
}

/** What TypeScript has to say about manifests; "" is nothing. */
async function complaints(manifests: readonly Manifest[]): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, programOf(manifests));
    const config = new URL("deno.json", TOP).pathname;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", "--config", config, file],
      env: { NO_COLOR: "1" },
    }).output();
    return success ? "" : new TextDecoder().decode(stderr);
  } finally {
    await Deno.remove(file);
  }
}

/** An overlay as kubectl would send it, with secrets made up for this test. */
async function rendered(overlay: string): Promise<Manifest[]> {
  const folder = await Deno.makeTempDir();
  try {
    for (const part of ["base", ...OVERLAYS]) {
      await Deno.mkdir(`${folder}/${part}`);
      for (const { name, isFile } of Deno.readDirSync(new URL(part, KUBERNETES))) {
        if (!isFile) continue;
        await Deno.copyFile(new URL(`${part}/${name}`, KUBERNETES), `${folder}/${part}/${name}`);
      }
    }
    await Deno.mkdir(`${folder}/base/secrets`);
    for (const name of ["cluster.secret", "admin.token", "auth.jwk"]) {
      await Deno.writeTextFile(`${folder}/base/secrets/${name}`, name);
    }
    const { success, stdout, stderr } = await new Deno.Command("kubectl", {
      args: ["kustomize", `${folder}/${overlay}`],
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    assert.equal(new TextDecoder().decode(stderr), "", "kustomize warns");
    return manifestsIn(new TextDecoder().decode(stdout));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const only = (manifests: readonly Manifest[], kind: string, name = "qumo-relay"): Manifest => {
  const found = manifests.filter((m) =>
    m.kind === kind && m.patch === undefined && m.metadata.name.startsWith(name)
  );
  assert.equal(found.length, 1, `${found.length} of ${kind} ${name}`);
  return found[0]!;
};

// deno-lint-ignore no-explicit-any
type Loose = any;

const relayOf = (nodes: Manifest): Loose => nodes.spec.template.spec.containers[0];

/** The relay's own settings in an overlay: its file under its variables. */
async function configOf(env: readonly { name: string; value?: string }[]) {
  const text = await read("base/config.yaml", KUBERNETES);
  const settings = env.filter(({ name }) => name.startsWith("QUMO_"));
  for (const { value } of settings) assert.ok(value !== undefined);
  return parseConfig(text, {
    env: Object.fromEntries(
      settings.map(({ name, value }) => [name, value!.replace("$(POD_NAME)", "qumo-relay-0")]),
    ),
  }).config;
}

Deno.test("every manifest is as Kubernetes describes its kind, patches too", async () => {
  const manifests = await written();
  assert.ok(manifests.length >= 10, `${manifests.length} manifests`);
  assert.equal(await complaints(manifests), "");
});

Deno.test("a member that Kubernetes does not know, one that is absent, and an unknown kind are found", async () => {
  const nodes = only(await written(), "StatefulSet");
  const typo = structuredClone(nodes) as Loose;
  typo.spec.template.spec.containers[0].livenessprobe = {};
  const { serviceName: _, ...spec } = nodes.spec;
  const found = await complaints([typo, { ...nodes, spec }, { ...nodes, apiVersion: "apps/v2" }]);
  assert.match(found, /livenessprobe"' does not exist in type 'Container'/);
  assert.match(found, /'serviceName' is missing/);
  assert.match(found, /'apps\/v2 StatefulSet' does not exist/);
});

Deno.test(
  "each overlay is rendered, has the types of Kubernetes, and its parts name each other",
  kubectl,
  async () => {
    const all: Manifest[] = [];
    for (const overlay of OVERLAYS) {
      const manifests = await rendered(overlay);
      all.push(...manifests);
      const nodes = only(manifests, "StatefulSet");
      const { template, selector, serviceName } = nodes.spec;
      const chosen = { "app.kubernetes.io/name": "qumo-relay" };
      assert.deepEqual([selector.matchLabels, template.metadata.labels], [chosen, chosen]);
      assert.deepEqual(only(manifests, "PodDisruptionBudget").spec.selector.matchLabels, chosen);
      const headless = only(manifests, "Service", "qumo-relay-nodes");
      assert.equal(headless.metadata.name, serviceName);
      assert.equal(headless.spec.clusterIP, "None");
      const ports = new Set(relayOf(nodes).ports.map(({ name }: Loose) => name));
      for (const { kind, metadata, spec } of manifests) {
        assert.equal(metadata.namespace, "qumo", `${overlay}: ${kind} ${metadata.name}`);
        if (kind !== "Service" || metadata.name === "qumo-redis") continue;
        assert.deepEqual(spec.selector, chosen);
        for (const { targetPort } of spec.ports) {
          assert.ok(targetPort === undefined || ports.has(targetPort), targetPort);
        }
      }
      const { configMap } = template.spec.volumes.find(({ name }: Loose) => name === "config");
      assert.equal(configMap.name, only(manifests, "ConfigMap").metadata.name);
      const { secret } = template.spec.volumes.find(({ name }: Loose) => name === "secrets");
      assert.equal(secret.secretName, only(manifests, "Secret").metadata.name);
      const names: string[] = relayOf(nodes).env.map(({ name }: Loose) => name);
      for (const { name, value } of relayOf(nodes).env) {
        // Kubernetes replaces only what stands before.
        for (const [, used] of (value ?? "").matchAll(/\$\((\w+)\)/g)) {
          assert.ok(names.indexOf(used) >= 0 && names.indexOf(used) < names.indexOf(name), used);
        }
      }
    }
    assert.equal(await complaints(all), "");
  },
);

Deno.test("the relay takes the configuration of each overlay, and finds each file of it in a volume", async () => {
  const nodes = only(await written(), "StatefulSet");
  const mounted: string[] = relayOf(nodes).volumeMounts.map(({ mountPath }: Loose) => mountPath);
  const { secretGenerator: [{ files }] } = parse(await read("base/kustomization.yaml", KUBERNETES));
  const made = files.map((path: string) => path.replace("secrets/", "/run/secrets/qumo-relay/"));
  for (const overlay of OVERLAYS) {
    const [patch] = manifestsIn(await read(`${overlay}/nodes.yaml`, KUBERNETES));
    const config = await configOf(relayOf(patch!).env);
    const { cluster, server, auth, admin } = config;
    assert.equal(overlay === "dns", cluster.dns !== undefined);
    assert.equal(overlay === "redis", cluster.redisUrl !== undefined);
    for (const file of [cluster.secretFile, auth.keyFile, admin.tokenFile]) {
      assert.ok(made.includes(file), `${file} is not made`);
    }
    for (const file of [...made, server.certFile, server.keyFile]) {
      assert.ok(mounted.some((folder) => file.startsWith(`${folder}/`)), `${file} is not mounted`);
    }
    const [, , given] = relayOf(nodes).args;
    assert.ok(mounted.some((folder) => given === `${folder}/config.yaml`), given);
  }
});

Deno.test("the image may read what is mounted, and may write nowhere else", async () => {
  const file = await read("deploy/Dockerfile", TOP);
  const folders = (name: string) =>
    new RegExp(`^ENTRYPOINT[^]*?--allow-${name}=([^"]+)"`, "m").exec(file)![1]!.split(",");
  const within = (path: string, list: readonly string[]) =>
    list.some((folder) => path === folder || path.startsWith(`${folder}/`));
  for (
    const { mountPath, readOnly } of relayOf(only(await written(), "StatefulSet")).volumeMounts
  ) {
    assert.ok(within(mountPath, folders("read")), mountPath);
    assert.equal(readOnly ?? false, !within(mountPath, folders("write")), mountPath);
  }
});

Deno.test("a pod has time for its drain", async () => {
  const nodes = only(await written(), "StatefulSet");
  const { server } = await configOf([]);
  const before = relayOf(nodes).lifecycle.preStop.sleep.seconds;
  const { terminationGracePeriodSeconds: grace } = nodes.spec.template.spec;
  assert.ok(grace >= before + server.drainTimeout / 1000 + 10, `${grace} s`);
});

Deno.test("probes ask for paths of the admin interface, at its port", async () => {
  const relay = relayOf(only(await written(), "StatefulSet"));
  const { admin } = await configOf([]);
  const [port] = relay.ports.filter(({ name }: Loose) => name === "admin");
  assert.equal(admin.address?.port, port.containerPort);
  const { paths } = openApi(ADMIN_ROUTES);
  for (const probe of [relay.startupProbe, relay.livenessProbe, relay.readinessProbe]) {
    assert.equal(probe.httpGet.port, "admin");
    assert.ok("get" in (paths[probe.httpGet.path] ?? {}), probe.httpGet.path);
  }
});

Deno.test("the command line of the pods is one of the relay", async () => {
  const [command, ...rest] = relayOf(only(await written(), "StatefulSet")).args;
  const found = COMMANDS.find(({ name }) => name === command);
  const { flags } = await found!.load();
  for (const flag of rest.filter((word: string) => word.startsWith("--"))) {
    assert.ok(Object.hasOwn(flags ?? {}, flag.slice(2)), flag);
  }
});

Deno.test("the autoscaler asks for metrics that the adapter makes of metrics that exist, below a node's capacity", async () => {
  const { rules } = parse(await read("prometheus_adapter.yaml", KUBERNETES));
  const { spec } = only(await written(), "HorizontalPodAutoscaler");
  const made = new Map<string, Loose>(rules.custom.map((rule: Loose) => [rule.name.as, rule]));
  const known = await read("docs/metrics.md", TOP);
  for (const { seriesQuery } of made.values()) {
    const [series] = /^\w+/.exec(seriesQuery)!;
    assert.ok(known.includes(`| \`${series}\` `), series);
  }
  const targets = new Map<string, string>();
  for (const { pods: { metric, target } } of spec.metrics) {
    assert.ok(made.has(metric.name), `${metric.name} is made by no rule`);
    targets.set(metric.name, target.averageValue);
  }
  const { capacitySessions } = (await configOf([])).server;
  assert.ok(Number(targets.get("qumo_sessions")) < capacitySessions);
  const [scrape] = parse(await read("scrape.yaml", KUBERNETES));
  const labels = scrape.relabel_configs.map((rule: Loose) => rule.target_label);
  assert.ok(labels.includes("namespace") && labels.includes("pod"));
});
