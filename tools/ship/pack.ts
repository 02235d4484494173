/**
 * Makes one file that runs anywhere on its platform: `deno task pack [--platform NAME] [--deno FILE] [--output FILE] [--level N]`.
 * It puts the bundle and the platform's Deno from npm behind the script tools/ship/packed_head.sh. Windows has no shell for
 * that, so there it makes a folder of three files.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { VERSION } from "../../base/version.ts";
import { ROOT } from "../module_graph.ts";
import { MAY_RUN, PERMISSIONS } from "./permissions.ts";
import { say } from "../say.ts";
import { V8_FLAGS } from "./v8_flags.ts";

/** Platforms that Deno has an npm package for. */
export const PLATFORMS = [
  "linux-x64-glibc",
  "linux-arm64-glibc",
  "darwin-x64",
  "darwin-arm64",
  "win32-x64",
] as const;
export type Platform = (typeof PLATFORMS)[number];

export interface PackOptions {
  readonly platform: Platform;
  /** The Deno to pack. */
  readonly deno: Uint8Array;
  /** The bundle. */
  readonly program: Uint8Array;
  /** Level of gzip, 1 to 9. */
  readonly level: number;
}

/** Makes the file for a platform with a shell. */
export async function packed({ platform, deno, program, level }: PackOptions): Promise<Uint8Array> {
  const parts = [gzipSync(deno, { level }), gzipSync(program, { level })] as const;
  const template = await Deno.readTextFile(new URL("packed_head.sh", import.meta.url));
  const fill = (values: Readonly<Record<string, string | number>>, text: string) =>
    text.replace(/@([A-Z_\d]+)@/g, (whole, name) => `${values[name] ?? whole}`);
  const text = fill({
    VERSION,
    PLATFORM: platform,
    DENO: Deno.version.deno,
    DENO_HASH: sha256(deno),
    PROGRAM_HASH: sha256(program),
    DENO_SIZE: deno.length,
    PROGRAM_SIZE: program.length,
    DENO_BYTES: parts[0].length,
    PROGRAM_BYTES: parts[1].length,
    PERMISSIONS: PERMISSIONS.join(" "),
    RUN: MAY_RUN.join(","),
    V8_FLAGS,
  }, template);
  // The offsets stand in the script, whose length moves them, so they have a fixed width. `tail` counts from 1.
  const at = (offset: number) => String(offset).padStart(12, "0");
  const length = new TextEncoder().encode(fill({ DENO_AT: at(0), PROGRAM_AT: at(0) }, text)).length;
  const offsets = { DENO_AT: at(length + 1), PROGRAM_AT: at(length + 1 + parts[0].length) };
  const head = new TextEncoder().encode(fill(offsets, text));
  return new Uint8Array(Buffer.concat([head, ...parts]));
}

/** What starts the program on Windows, beside deno.exe and qumo-relay.js. */
export const WINDOWS_START = [
  "@echo off",
  "setlocal",
  "set DENO_NO_UPDATE_CHECK=1",
  "set DENO_NO_PACKAGE_JSON=1",
  'if not defined DENO_DIR set "DENO_DIR=%LOCALAPPDATA%\\qumo-relay\\deno"',
  "set QUMO_PACKED=1",
  `set "RUN=${MAY_RUN.join(",")}"`,
  'if "%~1"=="bench" set "RUN=%RUN%,%~dp0deno.exe"',
  `set ALLOW=${PERMISSIONS.join(" ")} "--allow-run=%RUN%"`,
  `if "%QUMO_ALLOW%"=="run" set ALLOW=${PERMISSIONS.join(" ")} --allow-run`,
  'if "%QUMO_ALLOW%"=="all" set ALLOW=-A',
  `"%~dp0deno.exe" run --quiet --no-config --no-lock --no-prompt --unstable-net ${V8_FLAGS} %ALLOW% "%~dp0qumo-relay.js" %*`,
  "",
].join("\r\n");

/** The platform of this machine. @throws {Error} Deno has no npm package for it. */
export function ownPlatform(): Platform {
  const os = Deno.build.os === "windows" ? "win32" : Deno.build.os;
  const arch = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  const name = `${os}-${arch}${os === "linux" ? "-glibc" : ""}`;
  const found = PLATFORMS.find((platform) => platform === name);
  if (found === undefined) throw new Error(`Cannot pack for ${name}: Deno has no npm package`);
  return found;
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** The npm registry did not deliver Deno's package for a platform. */
class NoDeno extends Error {
  constructor(name: string, options: ErrorOptions) {
    const which = `${name}@${Deno.version.deno}`;
    super(
      `Cannot pack: ${which} cannot be had from npm; name a program like it with --deno FILE`,
      options,
    );
  }
}

/** Deno for a platform, from its npm package in Deno's own cache. */
async function denoFor(platform: Platform): Promise<Uint8Array> {
  const name = `@deno/${platform}`;
  try {
    await deno("cache", "--no-config", "--no-lock", `npm:${name}@${Deno.version.deno}`);
    const { npmCache } = JSON.parse(await deno("info", "--no-config", "--json"));
    const file = `${name}/${Deno.version.deno}/deno${platform.startsWith("win32") ? ".exe" : ""}`;
    return await cached(npmCache, file);
  } catch (cause) {
    throw new NoDeno(name, { cause });
  }
}

/** A file in the cache of npm packages, which has a folder for each registry. @throws {Deno.errors.NotFound} */
async function cached(npmCache: string, file: string): Promise<Uint8Array> {
  for await (const { name, isDirectory } of Deno.readDir(npmCache)) {
    if (!isDirectory) continue;
    const found = await Deno.readFile(`${npmCache}/${name}/${file}`).catch(absent);
    if (found !== undefined) return found;
  }
  throw new Deno.errors.NotFound(file);
}

function absent(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

async function deno(...args: string[]): Promise<string> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`deno ${args.join(" ")} failed`);
  return new TextDecoder().decode(stdout);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      platform: { type: "string", default: "" },
      deno: { type: "string" },
      output: { type: "string", default: `${ROOT}dist/qumo-relay` },
      level: { type: "string", default: "9" },
      "no-bundle": { type: "boolean", default: false },
    },
  });
  const platform = PLATFORMS.find((name) => name === (values.platform || ownPlatform()));
  if (platform === undefined) {
    say(`Cannot pack for ${values.platform}: it is none of ${PLATFORMS.join(", ")}`);
    return 2;
  }
  if (!values["no-bundle"]) await deno("task", "--quiet", "bundle");
  const options: PackOptions = {
    platform,
    deno: values.deno === undefined ? await denoFor(platform) : await Deno.readFile(values.deno),
    program: await Deno.readFile(`${ROOT}dist/qumo-relay.js`),
    level: Number(values.level),
  };
  const output = values.output;
  if (platform.startsWith("win32")) {
    await Deno.mkdir(`${output}-${platform}`, { recursive: true });
    await Deno.writeFile(`${output}-${platform}/deno.exe`, options.deno);
    await Deno.writeFile(`${output}-${platform}/qumo-relay.js`, options.program);
    await Deno.writeTextFile(`${output}-${platform}/qumo-relay.cmd`, WINDOWS_START);
    say(`${output}-${platform}/ has qumo-relay.cmd, which starts what lies beside it`);
    return 0;
  }
  const bytes = await packed(options);
  await Deno.remove(output).catch(() => {}); // a running one keeps its open file
  await Deno.writeFile(output, bytes, { mode: 0o755 });
  say(
    `${output}: ${
      (bytes.length / 1e6).toFixed(1)
    } MB for ${platform}, with Deno ${Deno.version.deno}`,
  );
  return 0;
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    if (!(error instanceof NoDeno)) throw error;
    say(error.message);
    Deno.exit(1);
  }
}
