/**
 * The examples as readers start them. Each side is a process of its own.
 *
 * @module
 */
import assert from "node:assert/strict";
import { fromFileUrl } from "../../tools/file_url.ts";
import { type Program, start as startProgram } from "../support/program.ts";

const EXAMPLES = ["broadcast", "chat", "clock", "echo", "native_quic", "relay"] as const;

type Bytes = Uint8Array<ArrayBuffer>;

function start(file: string, args: readonly string[], stdin?: ReadableStream<Bytes>): Program {
  const script = fromFileUrl(new URL(`../../examples/${file}`, import.meta.url));
  return startProgram(args, { script, ...(stdin === undefined ? {} : { stdin }) });
}

/** Starts a server on a free port. */
async function startServer(name: string): Promise<Program & { readonly url: string }> {
  const server = start(`${name}/server.ts`, ["0"]);
  const url = (await server.saw(/listening on \S+/)).replace("listening on ", "");
  return { ...server, url };
}

/** Runs an example as its task does, both sides. @returns What it printed. */
async function run(name: string): Promise<string> {
  await using program = start("run.ts", [name]);
  assert.equal(await program.ended(), 0, program.output());
  return program.output();
}

Deno.test("broadcast: the client lists the broadcast and reads its frames in order", async () => {
  const output = await run("broadcast");
  assert.match(output, /announced: server\.broadcast/);
  const frames = [...output.matchAll(/FRAME (\d+)/g)].map(([, n]) => Number(n));
  assert.equal(frames.length, 20);
  for (const [i, frame] of frames.entries()) assert.equal(frame, frames[0]! + i);
});

Deno.test("echo: what a client publishes comes back to it, and the server outlives it", async () => {
  await using server = await startServer("echo");
  for (let client = 0; client < 2; client++) {
    await using echoed = start("echo/client.ts", [server.url, "5"]);
    assert.equal(await echoed.ended(), 0, echoed.output());
    assert.match(echoed.output(), /announced: echo\/client\.echo/);
    assert.equal(echoed.output().match(/FRAME \d+ came back/g)?.length, 5);
  }
  await server.saw(/(is gone[^]*){2}/);
});

Deno.test("native_quic: the client is greeted over raw QUIC", async () => {
  const output = await run("native_quic");
  assert.match(output, /connected to moqt:\/\/127\.0\.0\.1:\d+\/ with moq-lite-06/);
  assert.match(output, /Hello, quic!/);
});

Deno.test("relay: both viewers see everything the publisher wrote", async () => {
  const output = await run("relay");
  for (const name of ["one", "two"]) {
    const seen = [...output.matchAll(new RegExp(`${name} sees live/counter: (\\d)`, "g"))];
    assert.equal(seen.map(([, n]) => n).join(""), "12345", output);
  }
});

Deno.test("chat: guests hear each other, and who comes and goes", async () => {
  await using room = await startServer("chat");
  const typed = new TransformStream<Bytes, Bytes>();
  const keys = typed.writable.getWriter();
  const type = (line: string) => keys.write(new TextEncoder().encode(`${line}\n`));
  await using alice = start("chat/client.ts", [room.url, "alice"], typed.readable);
  await alice.saw("you are alice");
  const silence = new TransformStream<Bytes, Bytes>();
  await using bob = start("chat/client.ts", [room.url, "bob"], silence.readable);
  await alice.saw("* bob is here");
  await bob.saw("* alice is here");
  await type("hello, bob");
  await bob.saw("alice: hello, bob");
  await type("bye");
  await keys.close();
  assert.equal(await alice.ended(), 0, alice.output());
  await bob.saw("alice: bye");
  await bob.saw("* alice has left");
  assert.ok(!alice.output().includes("alice: "), "nobody hears themselves");
  await silence.writable.close();
  assert.equal(await bob.ended(), 0, bob.output());
});

Deno.test("clock: a late joiner gets the minute from its start, then each second", async () => {
  await using server = await startServer("clock");
  await new Promise((resolve) => setTimeout(resolve, 2100));
  await using client = start("clock/client.ts", [server.url, "2"]);
  assert.equal(await client.ended(), 0, client.output());
  const lines = client.output().trim().split("\n");
  const times = lines.map((line) => /: (\S+)/.exec(line)![1]!);
  assert.deepEqual(times, [...new Set(times)].sort(), "each second once, in order");
  const minutes = new Set(lines.map((line) => line.split(":")[0]));
  // When a minute ends, the current group changes.
  if (minutes.size === 1) assert.ok(lines.some((line) => line.includes("before we came")));
  assert.equal(lines.filter((line) => !line.includes("before we came")).length, 2);
});

Deno.test("every example has a task and a README that names it", async () => {
  const { default: config } = await import("../../deno.json", { with: { type: "json" } });
  for (const name of EXAMPLES) {
    const { command } = (config.tasks as Record<string, { command: string }>)[`example:${name}`]!;
    assert.equal(command, `deno run -A examples/run.ts ${name}`);
    const readme = await Deno.readTextFile(
      new URL(`../../examples/${name}/README.md`, import.meta.url),
    );
    assert.ok(readme.includes(`deno task example:${name}`));
  }
});
