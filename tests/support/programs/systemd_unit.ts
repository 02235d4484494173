/**
 * A command under the restrictions of a file of `deploy/`, as far as this machine lets us apply them: see `run_unit.py`.
 *
 * @module
 */
import { fromFileUrl } from "../../../tools/file_url.ts";
import { PERMISSIONS } from "../../../tools/ship/permissions.ts";
import { optional } from "../optional.ts";
import { MAIN } from "../program.ts";

const SCRIPT = fromFileUrl(new URL("run_unit.py", import.meta.url));
const ROOT = fromFileUrl(new URL("../../../", import.meta.url));

/** What is needed beside Linux: python3 with libseccomp, and systemd's own list of system calls. */
export const unitTools = {
  ok: Deno.build.os === "linux" && optional("python3").ok && optional("systemd-analyze").ok,
};

/** The text of a unit in `deploy/`. */
export function unitText(name = "qumo-relay.service"): string {
  return Deno.readTextFileSync(new URL(`../../../deploy/${name}`, import.meta.url));
}

/** What runs `command` under a unit. @param state Stands for /var/lib/qumo-relay. @param unit Path of its file. */
export function underUnit(unit: string, state: string, command: readonly string[]): Deno.Command {
  const cache = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
  const keep = [ROOT, cache, Deno.execPath()].flatMap((path) => ["--keep", path]);
  return new Deno.Command(optional("python3").path!, {
    args: [SCRIPT, unit, state, ...keep, "--", ...command],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { DENO_DIR: cache },
  });
}

/** The program with these arguments, and what the shipped one may do with `QUMO_ALLOW=run`. */
export function program(args: readonly string[]): string[] {
  return [Deno.execPath(), "run", "--no-prompt", ...PERMISSIONS, "--allow-run", MAIN, ...args];
}
