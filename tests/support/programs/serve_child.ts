/** Runs `serveWith()` around a server that only takes notes on standard output, for its test. */
import { loadConfig } from "../../../config/load.ts";
import { print } from "../../../cli/shell/output.ts";
import { serveWith } from "../../../cli/serve/serve_with.ts";

const [dir, ending] = Deno.args;
const loaded = await loadConfig({
  env: {},
  flags: { "server.cert_dir": dir!, "logging.format": "json" },
});

const code = await serveWith(loaded, () => Promise.resolve(loaded), () => {
  let closing: Promise<void> | undefined;
  return Promise.resolve({
    listeners: [{ name: "QUIC", address: "127.0.0.1:1/udp" }],
    replaceCertificate: () => {},
    reload: () => Promise.resolve({ applied: [], needsRestart: [] }),
    finished: ending === "fails"
      ? Promise.reject(new Error("the endpoint died"))
      : new Promise(() => {}),
    close: () => {
      if (!closing) print("closing");
      // A drain that never ends. Only a second signal ends it. The timer keeps the process alive.
      closing ??= ending === "hangs"
        ? new Promise((done) => setTimeout(done, 600_000))
        : Promise.resolve();
      return closing;
    },
  });
});
Deno.exit(code);
