/**
 * Starts an example: `run.ts NAME` its server and its client together, `run.ts NAME server|client ARGS` one of them.
 *
 * @module
 */
const [name = "", side, ...args] = Deno.args;
const program = (file: string) => new URL(`./${name}/${file}.ts`, import.meta.url);

if (side !== undefined) Deno.exit((await start(side, args, "inherit").status).code);

const server = start("server", ["0"], "piped");
try {
  const url = await listening(server);
  Deno.exitCode = (await start("client", [url], "inherit").status).code;
} finally {
  try {
    server.kill("SIGKILL");
  } catch { // It has ended by itself.
  }
  await server.status;
}

function start(file: string, args: readonly string[], stdout: "piped" | "inherit") {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", program(file).href, ...args],
    stdin: "inherit",
    stdout,
    stderr: "inherit",
  }).spawn();
}

/** Passes on what the server prints. @returns The URL it names. */
function listening(child: Deno.ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    void (async () => {
      for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
        Deno.stdout.writeSync(new TextEncoder().encode(part));
        const url = /listening on (\S+)/.exec(part)?.[1];
        if (url !== undefined) resolve(url);
      }
      reject(new Error(`the server of ${name} has ended`));
    })();
  });
}
