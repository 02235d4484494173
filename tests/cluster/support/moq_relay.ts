import { freePort, killed } from "../../support/borrowed.ts";
import { follow } from "../../support/program.ts";
import { until } from "../../support/server.ts";
import { LIMIT_MS, type Site } from "./node.ts";

/** A running moq-relay, open to everybody. Killed when it goes out of scope. */
export interface MoqRelay extends Site, AsyncDisposable {
  readonly pid: number;
  /** All that it has logged. */
  readonly log: string;
}

/**
 * Starts moq-dev's relay.
 * @param connect URLs of the nodes that it links itself with.
 * @param hop Its hop id, below 2^53.
 */
export async function startMoqRelay(
  path: string,
  options: { readonly connect?: readonly string[]; readonly hop?: number } = {},
): Promise<MoqRelay> {
  const address = `127.0.0.1:${freePort()}`;
  const url = `http://${address}/`;
  const program = follow(
    new Deno.Command(path, {
      args: [
        ...["--listen", address, "--listen-tls-generate", "localhost,127.0.0.1"],
        ...["--web-http-listen", address, "--auth-public", "**", "--log-level", "info"],
        ...(options.connect ?? []).flatMap((to) => ["--cluster-connect", to]),
        ...(options.hop === undefined ? [] : ["--cluster-id", String(options.hop)]),
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn(),
  );
  const { process } = program;
  const answers = async () => {
    const answer = await fetch(`${url}certificate.sha256`).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.ok === true;
  };
  try {
    await until(answers, "moq-relay", LIMIT_MS);
  } catch (error) {
    await killed(process);
    throw error;
  }
  return {
    name: "moq-relay",
    url,
    pid: process.pid,
    get log() {
      return program.output();
    },
    [Symbol.asyncDispose]: () => Promise.resolve(program[Symbol.asyncDispose]()),
  };
}
