/**
 * A Redis server of the test's own, on a free port, that keeps its data over a restart.
 *
 * @module
 */
import { freePort, killed } from "../borrowed.ts";
import { need } from "../require.ts";
import { until } from "../server.ts";

/** Where it is absent, tests that use it are ignored. */
export const redisServer = need("redis-server");

/** A running Redis. Killed when it goes out of scope. */
export interface Redis extends AsyncDisposable {
  /** "redis://127.0.0.1:1234". */
  readonly url: string;
  /** Ends it without any warning. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with what it had written. Fulfils when it answers. */
  start(): Promise<void>;
  /** Stops it (SIGSTOP) or lets it go on (SIGCONT): it is there and does not answer. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
  /** Removes what it had written. It must not run. */
  forget(): Promise<void>;
}

export interface RedisOptions {
  /** Lets in only who knows it. */
  readonly password?: string;
  /** Further arguments of the program. */
  readonly args?: readonly string[];
}

export async function startRedis(options: RedisOptions = {}): Promise<Redis> {
  const dir = await Deno.makeTempDir({ prefix: "qumo-redis-test-" });
  const port = freePort();
  let child: Deno.ChildProcess | undefined;
  const kill = async () => {
    if (child === undefined) return;
    await killed(child);
    child = undefined;
  };
  const start = async () => {
    child = new Deno.Command(redisServer.path!, {
      args: [
        ...["--bind", "127.0.0.1", "--port", String(port), "--dir", dir, "--save", ""],
        // It answers only what is written: what it has said survives the kill.
        ...["--appendonly", "yes", "--appendfsync", "always"],
        ...(options.password === undefined ? [] : ["--requirepass", options.password]),
        ...options.args ?? [],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await until(() => answers(port), "redis-server", 20_000);
  };
  await start();
  const user = options.password === undefined ? "" : `:${options.password}@`;
  return {
    url: `redis://${user}127.0.0.1:${port}`,
    kill,
    start,
    signal: (signal) => child?.kill(signal),
    async forget() {
      await Deno.remove(dir, { recursive: true });
      await Deno.mkdir(dir);
    },
    async [Symbol.asyncDispose]() {
      await kill();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** Whether it takes commands: neither still starting nor still loading. */
async function answers(port: number): Promise<boolean> {
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode("PING\r\n"));
    const answer = new Uint8Array(64);
    const n = await connection.read(answer) ?? 0;
    return /^(\+PONG|-NOAUTH)/.test(new TextDecoder().decode(answer.subarray(0, n)));
  } catch {
    return false;
  }
}
