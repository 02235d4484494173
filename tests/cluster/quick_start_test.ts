/** The commands for a cluster in README.md and docs/cluster.md, as a reader types them, but with other ports. */
import assert from "node:assert/strict";
import type { ClusterJson } from "../../admin/shapes.ts";
import { connect } from "../../client/mod.ts";
import { freePort } from "../support/borrowed.ts";
import { type Program, start } from "../support/program.ts";
import { until } from "../support/server.ts";

const TOP = new URL("../../", import.meta.url);
/** A reader's clone has no certificate yet; these relays share one. */
const RUN_FLAGS = ["--unstable-net"];

/** The commands of the blocks of shell below a heading, each as one line. */
async function commandsOf(document: string, heading: string): Promise<string[]> {
  const text = await Deno.readTextFile(new URL(document, TOP));
  const section = text.split(`\n## ${heading}\n`)[1]!.split("\n## ")[0]!;
  return [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block]) =>
    block!.replaceAll("\\\n", " ").trim().split("\n").map((line) => line.replace(/ +#.*/, ""))
  );
}

/** A reader with a folder, whose relays have ports of their own. */
class Reader implements AsyncDisposable {
  readonly #ports = new Map<string, number>();
  readonly #stack = new AsyncDisposableStack();
  readonly #variables = new Map<string, string>();
  private constructor(readonly folder: string) {}

  static async begin(): Promise<Reader> {
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/cluster.secret`, crypto.randomUUID());
    const reader = new Reader(folder);
    reader.#stack.defer(() => Deno.remove(folder, { recursive: true }));
    return reader;
  }

  /** The port in place of one in the text. */
  port(written: string | number): number {
    const key = String(written);
    if (!this.#ports.has(key)) this.#ports.set(key, freePort());
    return this.#ports.get(key)!;
  }

  /** Types a command of this program, or one that sets a variable. */
  types(command: string): Program | undefined {
    const own = this.#translated(command);
    const set = /^(\w+)=(\S+)$/.exec(own);
    if (set !== null) return void this.#variables.set(set[1]!, set[2]!);
    const [, args] = /^deno run -A main\.ts (.*)$/.exec(own) ?? [];
    if (args === undefined) return undefined;
    const words = args.trim().split(/ +/)
      .map((word) => word.replace(/^\$(\w+)$/, (_, name) => this.#variables.get(name)!));
    return this.#stack.use(start(words, { cwd: this.folder, runFlags: RUN_FLAGS }));
  }

  /** With the ports of this reader; `task dev` is the program with a flag. */
  #translated(command: string): string {
    const dev = command.replace(
      /^deno task dev/,
      "deno run -A main.ts serve --auth.anonymous true",
    );
    const whole = dev.includes(" serve ") && !dev.includes("--server.address")
      ? `${dev} --server.address 127.0.0.1:4433 --admin.address 127.0.0.1:9090`
      : dev;
    return whole.replace(/127\.0\.0\.1:(\d+)/g, (_, port) => `127.0.0.1:${this.port(port)}`);
  }

  /** Waits until the node whose admin interface was written with this port has links to so many others. */
  async linked(adminPort: number, others: number): Promise<void> {
    const url = `http://127.0.0.1:${this.port(adminPort)}/api/v1/cluster`;
    let seen: ClusterJson | undefined;
    for (;;) {
      seen = await fetch(url).then((answer) => answer.json()).catch(() => undefined);
      const up = seen?.links.filter(({ state }) => state === "connected").map(({ hop }) => hop);
      if (new Set(up).size === others) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

/** Publishes ten groups a second as `demo`. */
async function publishing(url: string): Promise<AsyncDisposable> {
  const client = await connect(url);
  const track = client.publish("demo").track("data");
  const timer = setInterval(() => track.write("hello"), 100);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await client[Symbol.asyncDispose]();
    },
  };
}

Deno.test("docs/cluster.md: three nodes link, the third shows what the first has, and the second may leave and return", async () => {
  const commands = await commandsOf("docs/cluster.md", "Three nodes on one machine");
  await using reader = await Reader.begin();
  const nodes = commands.filter((command) => command.includes(" serve "));
  const [sub] = commands.filter((command) => command.includes(" sub "));
  assert.equal(nodes.length, 3);
  for (const command of commands) if (command.startsWith("NODES=")) reader.types(command);
  const running = nodes.map((command) => reader.types(command)!);
  for (const admin of [9090, 9091, 9092]) await reader.linked(admin, 2);

  await using _published = await publishing(`http://127.0.0.1:${reader.port(4433)}/`);
  const viewer = reader.types(`${sub} --track data --json`)!;
  await viewer.saw(/"groups":[1-9]/);
  const groups = () => Number([...viewer.output().matchAll(/"groups":(\d+)/g)].at(-1)![1]);

  running[1]!.process.kill("SIGINT");
  assert.equal(await running[1]!.ended(), 0);
  for (const admin of [9090, 9092]) await reader.linked(admin, 1);
  const before = groups();
  await until(() => groups() > before + 5, "groups after the second node has left");
  reader.types(nodes[1]!);
  for (const admin of [9090, 9091, 9092]) await reader.linked(admin, 2);
});

Deno.test("README.md: two relays of `task dev` make a cluster, which top shows", async () => {
  const commands = await commandsOf("README.md", "More machines");
  await using reader = await Reader.begin();
  const [, first, second, top] = commands;
  for (const command of [first!, second!]) assert.ok(reader.types(command) !== undefined, command);
  for (const admin of [9090, 9091]) await reader.linked(admin, 1);
  const shown = reader.types(`${top} --once --admin http://127.0.0.1:9090`)!;
  assert.equal(await shown.ended(), 0, shown.output());
  // Until one of the two that dialed each other stands by, there are two links.
  assert.match(shown.output(), / 1 node {2}[^]*^http:\S+ .* connected /m);
});
