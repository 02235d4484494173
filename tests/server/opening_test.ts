import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import { silent } from "../../base/logger.ts";
import { parseConfig } from "../../config/load.ts";
import { Dvr } from "../../server/dvr/dvr.ts";
import { Hooks } from "../../server/hooks/hooks.ts";
import { FurtherCertificates } from "../../server/http/further_certificates.ts";
import { Relay } from "../../server/relay.ts";
import type { ServerContext } from "../../server/opening.ts";
import { startServer } from "../../server/server.ts";
import { MemoryStore } from "../../storage/memory.ts";
import { testCertificate, until } from "../support/server.ts";

v8.setFlagsFromString("--expose-gc");
const collectGarbage: () => void = vm.runInNewContext("gc");

const HOST = "127.0.0.1";
const ALL = ["hooks", "further", "dvr", "relay", "store"];

/** Writes the name of each part that is closed, until it is disposed of. */
function closings(): Disposable & { readonly names: string[] } {
  const names: string[] = [];
  const stack = new DisposableStack();
  const spy = (name: string, owner: object, method: string | symbol) => {
    const before: (...args: unknown[]) => unknown = Reflect.get(owner, method);
    Reflect.set(owner, method, function (this: unknown, ...args: unknown[]) {
      names.push(name);
      return before.apply(this, args);
    });
    stack.defer(() => void Reflect.set(owner, method, before));
  };
  spy("store", MemoryStore.prototype, Symbol.asyncDispose);
  spy("relay", Relay.prototype, "close");
  spy("dvr", Dvr.prototype, "stop");
  spy("further", FurtherCertificates.prototype, "close");
  spy("hooks", Hooks.prototype, "close");
  return { names, [Symbol.dispose]: () => stack.dispose() };
}

/** Two ports that nobody has now, each for UDP and TCP. */
function freePorts(): [number, number] {
  const held = [0, 0].map(() => Deno.listen({ hostname: HOST, port: 0 }));
  const ports = held.map(({ addr }) => addr.port);
  for (const listener of held) listener.close();
  return ports as [number, number];
}

/** Another listener that holds the port. */
function taken(transport: "tcp" | "udp", port: number): Disposable {
  const listener = transport === "tcp"
    ? Deno.listen({ hostname: HOST, port })
    : Deno.listenDatagram({ transport, hostname: HOST, port });
  return { [Symbol.dispose]: () => listener.close() };
}

/** Deno gives the port of a closed QUIC endpoint back when the endpoint is collected: nothing may hold on to it. */
function isFree(port: number): boolean {
  collectGarbage();
  try {
    taken("udp", port)[Symbol.dispose]();
    return true;
  } catch {
    return false;
  }
}

async function start(
  [port, admin]: readonly [number, number],
  flags: Readonly<Record<string, string>> = {},
  context: Partial<ServerContext> = {},
) {
  const loaded = parseConfig(
    "storage: { record: ['**'] }\nhooks: [{ name: a, command: [/bin/true] }]\n",
    {
      flags: {
        "server.address": `${HOST}:${port}`,
        "admin.address": `${HOST}:${admin}`,
        "server.drain_timeout": "0s",
        ...flags,
      },
    },
  );
  return await startServer(loaded, {
    logger: silent,
    certificate: await testCertificate(),
    ...context,
  });
}

/** Obstacles to a start, by the part that cannot be opened, with the parts that are open by then. */
const STEPS: {
  readonly part: string;
  readonly error: RegExp;
  readonly closed: readonly string[];
  readonly flags?: Readonly<Record<string, string>>;
  readonly context?: Partial<ServerContext>;
  readonly inTheWay?: (ports: readonly [number, number]) => Disposable;
}[] = [
  {
    part: "the store",
    error: /Invalid|pathname/,
    closed: [],
    flags: { "storage.type": "redis", "storage.redis_url": "redis://127.0.0.1:1/none" },
  },
  {
    part: "the UDP port",
    error: /Address already in use/,
    closed: ["store"],
    inTheWay: ([port]) => taken("udp", port),
  },
  {
    part: "the certificate of QUIC",
    error: /./,
    closed: ["store"],
    context: { certificate: { ...await testCertificate(), key: "no key" } },
  },
  {
    part: "the token of the admin interface",
    error: /Cannot read admin.token_file/,
    closed: ["dvr", "relay", "store"],
    flags: { "admin.token_file": "/nowhere/token" },
  },
  {
    part: "the key of tokens",
    error: /\/nowhere\/key/,
    closed: ["dvr", "relay", "store"],
    flags: { "auth.key_file": "/nowhere/key" },
  },
  {
    part: "the threads",
    error: /without a main module/,
    closed: ["dvr", "relay", "store"],
    flags: { "server.workers": "2" },
  },
  {
    part: "the port of a worker",
    error: /Address already in use/,
    closed: ["dvr", "relay", "store"],
    flags: { "server.workers": "2" },
    context: { module: new URL("../../main.ts", import.meta.url).href },
    inTheWay: ([port]) => taken("udp", port + 1),
  },
  {
    part: "the authorities of the upstream relay",
    error: /Cannot read relay.upstream_ca_file/,
    closed: ["dvr", "relay", "store"],
    flags: { "relay.upstream_url": "moqt://relay.example", "relay.upstream_ca_file": "/nowhere" },
  },
  {
    part: "the TCP port",
    error: /Address already in use/,
    closed: ["dvr", "relay", "store"],
    inTheWay: ([port]) => taken("tcp", port),
  },
  {
    part: "the admin interface",
    error: /Address already in use/,
    closed: ["further", "dvr", "relay", "store"],
    inTheWay: ([, admin]) => taken("tcp", admin),
  },
];

for (const { part, error, closed, flags, context, inTheWay } of STEPS) {
  Deno.test(`a start that fails at ${part} closes what is open, the last first and each once`, async () => {
    const ports = freePorts();
    using seen = closings();
    {
      using _ = inTheWay?.(ports);
      await assert.rejects(start(ports, flags, context), { message: error });
    }
    assert.deepEqual(seen.names, closed);
    for (const port of ports) {
      taken("tcp", port)[Symbol.dispose]();
      await until(() => isFree(port), "the UDP port to be given back");
    }
  });
}

Deno.test("a start that fails once everything is open closes all of it as a server that runs", async () => {
  const ports = freePorts();
  const { apply } = Hooks.prototype;
  Hooks.prototype.apply = () => {
    throw new Error("no hooks today");
  };
  using seen = closings();
  try {
    await assert.rejects(start(ports), /no hooks today/);
  } finally {
    Hooks.prototype.apply = apply;
  }
  assert.deepEqual(seen.names, ["relay", ...ALL.filter((name) => name !== "relay")]);
  for (const port of ports) taken("tcp", port)[Symbol.dispose]();
});

Deno.test("a server that runs is closed in the same order, however often it is asked, and a wrong plugin does not keep it", async () => {
  const ports = freePorts();
  using seen = closings();
  const loaded = parseConfig("plugins: [{ name: bad, module: /nowhere/plugin.ts }]\n").plugins;
  const server = await start(ports);
  await server.view.plugins!.apply(loaded);
  await Promise.all([server.close(), server.close()]);
  await server.finished;
  // The relay's sessions end first, while all is still open.
  assert.deepEqual(seen.names, ["relay", ...ALL.filter((name) => name !== "relay")]);
  for (const port of ports) taken("tcp", port)[Symbol.dispose]();
});
