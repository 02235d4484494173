/**
 * The interop tool with itself: starts a server on a free port, runs the client against it, and ends with their result.
 * With arguments it is `qumo-relay interop ARGS`.
 *
 * @module
 */
const MAIN = new URL("../../main.ts", import.meta.url).href;

function interop(args: readonly string[], stderr: "piped" | "inherit") {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, "interop", ...args],
    stdin: "null",
    stderr,
  }).spawn();
}

/** The arguments of the client, as the server names them on standard error. */
async function clientArgs(server: Deno.ChildProcess): Promise<string[]> {
  let text = "";
  for await (const part of server.stderr.pipeThrough(new TextDecoderStream())) {
    text += part;
    const found = /qumo-relay interop (client .*)\n/.exec(text)?.[1];
    if (found !== undefined) return found.split(" ");
  }
  throw new Error(`the server has ended: ${text}`);
}

if (Deno.args.length > 0) Deno.exit((await interop(Deno.args, "inherit").status).code);
// Each prints its own steps; they meet in one terminal.
const server = interop(["server", "--listen", "127.0.0.1:0"], "piped");
const client = interop(await clientArgs(server), "inherit");
const codes = [(await client.status).code, (await server.status).code];
Deno.exit(Math.max(...codes));
