/**
 * Makes the packages for Debian and Fedora from deploy/nfpm.yaml: `deno task deb [--binary FILE] [--arch amd64|arm64]
 * [--maintainer "NAME <ADDRESS>"]`. Without --binary it packs what `deno task pack` or `compile` has made. Needs nfpm (https://nfpm.goreleaser.com).
 */
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { VERSION } from "../../base/version.ts";
import { ROOT } from "../module_graph.ts";
import { say } from "../say.ts";

const NFPM = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.1";

/** Packs `binary` into the folder `target` and prints where the packages are. @returns The exit code. */
export async function makePackages(options: {
  readonly binary: string;
  readonly arch: string;
  readonly target: string;
  /** "NAME <ADDRESS>": who answers for the package. */
  readonly maintainer: string;
}): Promise<number> {
  const { binary, arch, target, maintainer } = options;
  if (!await Deno.stat(binary).then((info) => info.isFile, () => false)) {
    say(`Cannot pack ${binary}: there is no such file; run \`deno task pack\` first`);
    return 1;
  }
  const folder = await Deno.makeTempDir();
  const [completion, changelog] = [`${folder}/completion`, `${folder}/changelog.gz`];
  try {
    await Deno.writeFile(completion, await output("main.ts", "completion", "bash"));
    const changes = await Deno.readFile(`${ROOT}CHANGELOG.md`);
    await Deno.writeFile(changelog, gzipSync(changes, { level: 9 }));
    await Deno.mkdir(target, { recursive: true });
    for (const packager of ["deb", "rpm"]) {
      const { code } = await new Deno.Command("nfpm", {
        args: ["package", "--config", "deploy/nfpm.yaml", "--packager", packager, "-t", target],
        cwd: ROOT,
        env: {
          QUMO_BINARY: binary,
          QUMO_COMPLETION: completion,
          QUMO_CHANGELOG: changelog,
          QUMO_MAINTAINER: maintainer,
          QUMO_ARCH: arch,
          QUMO_VERSION: VERSION,
        },
      }).spawn().status;
      if (code !== 0) return code;
    }
    return 0;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    say(`Cannot pack: nfpm is not on PATH; go install ${NFPM}`);
    return 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What a script of this project prints. */
async function output(...args: string[]): Promise<Uint8Array> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ...args],
    cwd: ROOT,
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`${args.join(" ")} failed`);
  return stdout;
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      binary: { type: "string", default: `${ROOT}dist/qumo-relay` },
      arch: { type: "string", default: Deno.build.arch === "aarch64" ? "arm64" : "amd64" },
      maintainer: { type: "string", default: "qumo-relay contributors <root@localhost>" },
      target: { type: "string", default: `${ROOT}dist` },
    },
  });
  Deno.exit(await makePackages(values));
}
