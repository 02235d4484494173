/** An S3-compatible server in this process, its objects in a directory. It asks for a known key, but trusts any signature. */
import S3rver from "s3rver";

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
  let running: { run(): Promise<{ port: number }>; close(): Promise<void> } | undefined;
  const stop = async () => {
    await running?.close();
    running = undefined;
  };
  const start = async () => {
    running = new S3rver({
      ...{ address: "127.0.0.1", port, silent: true, directory },
      configureBuckets: [{ name: bucket, configs: [] }],
    });
    port = (await running!.run()).port;
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
