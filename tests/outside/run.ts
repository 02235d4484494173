/**
 * Foreign programs and players for tests: npm packages that no module here imports, each in its own process. They have a
 * lock file of their own, because `deno task` first fetches everything in `deno.lock`, and these packages are larger than
 * the relay itself.
 *
 * @module
 */
import { fromFileUrl } from "../../tools/file_url.ts";
import PACKAGES from "./packages.json" with { type: "json" };

export type OutsidePackage = keyof typeof PACKAGES;

/** After a change of packages.json: `deno cache --no-config --lock=tests/outside/packages.lock SPECIFIERS`. */
const LOCK = fromFileUrl(new URL("packages.lock", import.meta.url));
const OWN = ["--quiet", "--no-config", `--lock=${LOCK}`, "--frozen"];

/** Starts a package's program. The caller ends it. */
export function startOutside(name: OutsidePackage, args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ...OWN, PACKAGES[name], ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    env: { NO_COLOR: "1" },
  }).spawn();
}

/** A package as one module for browsers. @param file One of its files, in place of its main one. */
export async function bundleOutside(name: OutsidePackage, file?: string): Promise<string> {
  const module = file === undefined ? PACKAGES[name] : `${PACKAGES[name]}/${file}`;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--platform", "browser", ...OWN, module],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
