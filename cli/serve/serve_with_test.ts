import assert from "node:assert/strict";

interface Child {
  readonly process: Deno.ChildProcess;
  /** Waits until a text has come on standard output or standard error. */
  saw(text: string): Promise<void>;
  readonly output: () => string;
}

function start(dir: string, ending: string): Child {
  const script = new URL("./testdata/serve_child.ts", import.meta.url).href;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script, dir, ending],
    stdout: "piped",
    stderr: "piped",
    cwd: dir,
  }).spawn();
  let output = "";
  let changed = Promise.withResolvers<void>();
  const drain = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output += text;
      changed.resolve();
      changed = Promise.withResolvers();
    }
  };
  const drained = Promise.all([drain(process.stdout), drain(process.stderr)]);
  return {
    process,
    output: () => output,
    async saw(text) {
      while (!output.includes(text)) {
        const ended = await Promise.race([changed.promise, drained.then(() => true)]);
        if (ended && !output.includes(text)) assert.fail(`ended without "${text}": ${output}`);
      }
    },
  };
}

async function withChild(ending: string, test: (child: Child) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  const child = start(dir, ending);
  try {
    await test(child);
  } finally {
    try {
      child.process.kill("SIGKILL");
    } catch {
      // it has ended by itself, as it should
    }
    await child.process.status;
    await child.saw("").catch(() => {});
    await Deno.remove(dir, { recursive: true });
  }
}

const posix = { ignore: Deno.build.os === "windows" };

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(
    `serve closes the server on ${signal} and ends with code 0`,
    posix,
    () =>
      withChild("closes", async (child) => {
        await child.saw('"started"');
        child.process.kill(signal);
        assert.equal((await child.process.status).code, 0);
        await child.saw('"stopped"');
        assert.match(child.output(), /closing/);
        assert.match(child.output(), /"certificateSha256":"[0-9a-f]{64}"/);
        assert.match(child.output(), /OPEN TO EVERYBODY: .* auth: \{ required: true \}/);
      }),
  );
}

Deno.test(
  "serve ends at once on a second signal, however long the server takes to close",
  posix,
  () =>
    withChild("hangs", async (child) => {
      await child.saw('"started"');
      child.process.kill("SIGTERM");
      await child.saw("closing");
      child.process.kill("SIGINT");
      assert.equal((await child.process.status).code, 130);
      assert.doesNotMatch(child.output(), /"stopped"/);
    }),
);

Deno.test("serve closes what is left and fails when the server fails", () =>
  withChild("fails", async (child) => {
    await child.saw("the endpoint died");
    assert.equal((await child.process.status).code, 1);
    assert.match(child.output(), /closing/);
  }));
