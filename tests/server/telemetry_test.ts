/** The program with Deno's OpenTelemetry switched on, and a collector of OTLP over HTTP that keeps what comes. */
import assert from "node:assert/strict";
import { connect } from "../../client/mod.ts";
import { startRelay } from "../support/program.ts";
import { until } from "../support/server.ts";

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** What came, by path. */
class Collector implements AsyncDisposable {
  readonly bodies: Record<string, unknown[]> = {};
  readonly #server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const body = await request.json();
      (this.bodies[new URL(request.url).pathname] ??= []).push(body);
      return Response.json({});
    },
  );

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  get text(): string {
    return JSON.stringify(this.bodies);
  }

  /** Every object anywhere in what came at a path that has these members. */
  found(path: string, ...members: string[]): Record<string, unknown>[] {
    const hits: Record<string, unknown>[] = [];
    const look = (value: unknown) => {
      if (typeof value !== "object" || value === null) return;
      const object = value as Record<string, unknown>;
      if (members.every((member) => member in object)) hits.push(object);
      Object.values(object).forEach(look);
    };
    look(this.bodies[path]);
    return hits;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

const attributesOf = (span: Record<string, unknown>) =>
  Object.fromEntries(
    (span["attributes"] as Attribute[]).map(({ key, value }) => [key, Object.values(value)[0]]),
  );

Deno.test("OpenTelemetry gets spans of HTTP, the log and figures of the runtime, and no token", async () => {
  await using collector = new Collector();
  await using relay = await startRelay(["--logging.access", "info"], {
    env: {
      OTEL_DENO: "true",
      OTEL_SERVICE_NAME: "relay-under-test",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_METRIC_EXPORT_INTERVAL: "300",
      OTEL_BSP_SCHEDULE_DELAY: "100",
      OTEL_BLRP_SCHEDULE_DELAY: "100",
    },
  });
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const answer = await fetch(`${relay.url}announced?jwt=very-secret`, {
    headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
  });
  await answer.body?.cancel();
  const client = await connect(relay.url.replace("http:", "ws:") + "by-websocket?jwt=very-secret");
  await client.close();
  const spans = () => collector.found("/v1/traces", "spanId", "kind");
  const announced = () => spans().map(attributesOf).find((a) => a["url.path"] === "/announced");
  const request = () =>
    collector.found("/v1/logs", "severityText", "body").find(({ body }) =>
      JSON.stringify(body).includes("/announced")
    );
  const metrics = () => collector.found("/v1/metrics", "name", "unit").map(({ name }) => name);
  await until(() => announced() !== undefined, "the span");
  await until(() => request() !== undefined, "the line of the log");
  await until(() => metrics().includes("v8js.memory.heap.size"), "metrics of the runtime");
  await until(() => metrics().includes("http.server.request.duration"), "metrics of HTTP");
  const upgrade = () => spans().map(attributesOf).find((a) => a["url.path"] === "/by-websocket");
  await until(() => upgrade() !== undefined, "the span of the WebSocket");
  assert.equal(upgrade()!["http.response.status_code"], "101");
  assert.equal(announced()!["url.query"], "jwt=***");
  assert.equal(announced()!["http.response.status_code"], "200");
  assert.equal(request()!["severityText"], "INFO");
  assert.equal(request()!["traceId"], traceId, "the line belongs to the trace of who asked");
  assert.match(collector.text, /relay-under-test/);
  assert.ok(!collector.text.includes("very-secret"));
});
