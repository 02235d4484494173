/** The files of deploy/ for Prometheus, Grafana and Docker, checked against the existing metrics and files. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { CATALOG } from "../../metrics/catalog.ts";
import { optional } from "../support/optional.ts";

const DEPLOY = new URL("../../deploy/", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, DEPLOY));

const METRICS = new Map(CATALOG.flatMap(({ metrics }) => metrics).map((m) => [m.name, m]));
/** Labels that Prometheus gives each series. */
const SCRAPED = ["instance", "job"];

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Query {
  readonly where: string;
  readonly expr: string;
  /** Labels that the legend or the text of the alert shows. */
  readonly shown: readonly string[];
}

async function queries(): Promise<Query[]> {
  const { panels }: { panels: Panel[] } = JSON.parse(await read("grafana/dashboard.json"));
  const shownBy = (text: string) => [...text.matchAll(/{{ *([\w$.]+)/g)].map(([, name]) => name!);
  const ofPanels = panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({ where: title, expr, shown: shownBy(legendFormat) }))
  );
  const { groups } = parse(await read("prometheus/alerts.yml"));
  const ofAlerts = groups.flatMap((g: { rules: Rule[] }) => g.rules).map((r: Rule) => ({
    where: r.alert,
    expr: r.expr,
    shown: shownBy(r.annotations.summary).filter((name) => name !== "$value")
      .map((name) => name.replace("$labels.", "")),
  }));
  return [...ofPanels, ...ofAlerts];
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string };
}

Deno.test("every metric and label that the dashboard and the alerts name is in the catalogue", async () => {
  const all = await queries();
  assert.ok(all.length > 40);
  for (const { where, expr, shown } of all) {
    const names = [...expr.matchAll(/\bqumo_\w+/g)].map(([name]) => name);
    for (const name of names) assert.ok(METRICS.has(name), `${where}: no metric ${name}`);
    /** Each label with its values; what the operator names has any. */
    const labels = new Map<string, readonly string[] | undefined>(names.flatMap((name) => {
      const { labels = {}, open = [] } = METRICS.get(name)!;
      return [...Object.entries(labels), ...open.map((label) => [label, undefined] as const)];
    }));
    for (const [, list] of expr.matchAll(/\bby \(([^)]*)\)/g)) {
      for (const label of list!.split(", ")) {
        assert.ok(labels.has(label) || SCRAPED.includes(label), `${where}: no label ${label}`);
      }
    }
    for (const [, label, value] of expr.matchAll(/(\w+)="([^"]*)"/g)) {
      if (SCRAPED.includes(label!)) continue;
      const known = labels.has(label!) && (labels.get(label!)?.includes(value!) ?? true);
      assert.ok(known, `${where}: no ${label}="${value}"`);
    }
    for (const label of shown) {
      assert.ok(labels.has(label) || SCRAPED.includes(label), `${where} shows no label ${label}`);
    }
  }
});

Deno.test("a counter is shown as a rate, and a gauge as it is", async () => {
  for (const { where, expr } of await queries()) {
    for (const [, around = "", name] of expr.matchAll(/(rate\(|increase\()?\b(qumo_\w+)/g)) {
      const counter = METRICS.get(name!)!.type === "counter";
      assert.equal(around !== "", counter, `${where}: ${name}`);
    }
  }
});

Deno.test("compose builds and mounts what is there", async () => {
  const { services, volumes } = parse(await read("compose.yaml"));
  assert.deepEqual(Object.keys(services).sort(), ["grafana", "prometheus", "redis", "relay"]);
  await Deno.stat(new URL(`../${services.relay.build.dockerfile}`, DEPLOY));
  const mounts: string[] = Object.values<{ volumes?: string[] }>(services)
    .flatMap((service) => service.volumes ?? []);
  for (const [source = ""] of mounts.map((mount) => mount.split(":"))) {
    if (source.startsWith(".")) await Deno.stat(new URL(source, DEPLOY));
    else assert.ok(source in volumes, source);
  }
  for (const { image } of Object.values<{ image?: string }>(services)) {
    if (image !== undefined) assert.match(image, /:v?\d+\.\d+/, "pinned");
  }
  const { scrape_configs: [scrape] } = parse(await read("prometheus/prometheus.yml"));
  const port = /:(\d+)$/.exec(services.relay.environment.QUMO_ADMIN_ADDRESS)![1];
  assert.deepEqual(scrape.static_configs[0].targets, [`relay:${port}`]);
});

Deno.test("the image is made of Deno's version here, and runs as nobody's root", async () => {
  const text = await read("Dockerfile");
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  const image = /^FROM denoland\/deno:(\d+\.\d+\.\d+)@sha256:[0-9a-f]{64} AS build$/m.exec(text)!;
  assert.equal(image[1], /deno@(\d+\.\d+\.\d+)/.exec(readme)![1]);
  assert.match(text, /^USER [1-9]\d*:/m);
  assert.match(text, /^HEALTHCHECK .*\\\n(.*\\\n)*.*"health"/m);
});

for (
  const [what, command, ...args] of [
    ["promtool finds nothing wrong in the alerts", "promtool", "check", "config", "prometheus.yml"],
    ["the alerts fire when they should", "promtool", "test", "rules", "alerts_test.yml"],
  ] as const
) {
  Deno.test(what, { ignore: !optional(command).ok }, async () => {
    const cwd = new URL("prometheus/", DEPLOY);
    const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd }).output();
    const text = new TextDecoder();
    assert.ok(success, text.decode(stdout) + text.decode(stderr));
  });
}
