/**
 * Configurations and command lines that the documents print and this program has to start with. The numbers are those of the
 * document.
 *
 * @module
 */

export interface PrintedConfig {
  /** What the document prints it as. */
  readonly what: string;
  /** Files that are there, by path from the project's root. */
  readonly files: Readonly<Record<string, string>>;
  /** The certificate and key it names, from the working directory. */
  readonly certificate?: { readonly cert: string; readonly key: string };
  /** Where it is started, from the project's root. */
  readonly cwd?: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What it must listen on. */
  readonly address: string;
}

const YAML_000 = `server:
  address: "0.0.0.0:4433"
  cert_file: "certs/server.crt"
  key_file: "certs/server.key"

relay:
  upstream_url: ""           # Optional upstream server
  group_cache_size: 100      # Number of groups to cache
  frame_capacity: 1500       # Frame buffer size in bytes
`;

const YAML_001 = `server:
  address: "0.0.0.0:4433"
  tls:
    cert_file: "certs/server.crt"
    key_file: "certs/server.key"

relay:
  FrameCapacity: 1500    # Frame buffer size (bytes)
  MaxGroupCache: 100     # Number of groups to cache
`;

const YAML_001_LOGGING = `logging:
  level: "debug"
`;

/** As the document's code block has it. */
const ENV_004 = `RELAIS_SERVER_HOST=0.0.0.0
RELAIS_SERVER_PORT=8080
RELAIS_STORAGE_TYPE=redis
RELAIS_STORAGE_REDIS_URL=localhost:6379
RELAIS_LOGGING_LEVEL=info
`;

const CERTIFICATE = { cert: "certs/server.crt", key: "certs/server.key" };
const EVERYWHERE = "0.0.0.0:4433";

/** @param example The text of configs/config.example.yaml. */
export function printedConfigs(example: string): PrintedConfig[] {
  return [
    {
      what: "000: --config config.yaml",
      files: { "config.yaml": YAML_000 },
      certificate: CERTIFICATE,
      args: ["--config", "config.yaml"],
      address: EVERYWHERE,
    },
    {
      what: "000: the example configuration, copied to config.yaml",
      files: { "config.yaml": example },
      args: ["--config", "config.yaml"],
      address: "[::]:4433",
    },
    {
      what: "001: -config ../../configs/config.yaml, from cmd/qumo-relay",
      files: { "configs/config.yaml": YAML_001 },
      certificate: CERTIFICATE,
      cwd: "cmd/qumo-relay",
      args: ["-config", "../../configs/config.yaml"],
      address: EVERYWHERE,
    },
    {
      what: "001: no flags, configs/config.yaml is there",
      files: { "configs/config.yaml": YAML_001 },
      certificate: CERTIFICATE,
      args: [],
      address: EVERYWHERE,
    },
    {
      what: "001: logging alone in configs/config.yaml",
      files: { "configs/config.yaml": YAML_001_LOGGING },
      args: [],
      address: "[::]:4433",
    },
    { what: "001: no flags and no file", files: {}, args: [], address: "[::]:4433" },
    {
      what: "004: the environment",
      files: {},
      args: [],
      env: Object.fromEntries(
        ENV_004.trim().split("\n").map((line) => line.split("=") as [string, string]),
      ),
      address: "0.0.0.0:8080",
    },
  ];
}
