/** An S3-compatible server, its objects in a directory. It asks for a known key, but trusts any signature. */
import { startOutside } from "../../outside/run.ts";

export interface S3Server extends AsyncDisposable {
  readonly endpoint: string;
  /** Options of the plugin that lead to its bucket. */
  readonly options: Record<string, unknown>;
  /** Stops and starts it again, on the same port with the same objects. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function startS3(bucket = "archive"): Promise<S3Server> {
  const directory = await Deno.makeTempDir({ prefix: "qumo-relay-test-" });
  let port = 0;
  let running: Deno.ChildProcess | undefined;
  let drained: Promise<void> | undefined;
  const stop = async () => {
    running?.kill("SIGTERM");
    await running?.status;
    await drained;
    running = undefined;
  };
  const start = async () => {
    running = startOutside("s3rver", [
      ...["--directory", directory, "--address", "127.0.0.1", "--port", String(port)],
      ...["--configure-bucket", bucket],
    ]);
    const listening = Promise.withResolvers<number>();
    drained = readPort(running.stdout, listening);
    port = await listening.promise;
  };
  await start();
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    endpoint,
    options: {
      endpoint,
      bucket,
      access_key_id: "S3RVER",
      secret_access_key: "S3RVER",
      request_timeout: "5s",
    },
    stop,
    start,
    async [Symbol.asyncDispose]() {
      await stop();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/** Reads "S3rver listening on 127.0.0.1:1234", and then what it says of each request. */
async function readPort(
  stdout: ReadableStream<Uint8Array<ArrayBuffer>>,
  port: PromiseWithResolvers<number>,
): Promise<void> {
  let text = "";
  for await (const part of stdout.pipeThrough(new TextDecoderStream())) {
    text += part;
    const found = /listening on \S+:(\d+)/.exec(text);
    if (found) port.resolve(Number(found[1]));
  }
  port.reject(new Error(`s3rver has ended without a port: ${text}`));
}
