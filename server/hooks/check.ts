/** Checks whether the configured hooks can work. It sends nothing and runs nothing. */
import { reasonOf } from "../../base/errors.ts";
import type { PlacedHook } from "../../config/hook_list.ts";
import type { Problem } from "../../config/problems.ts";

/** @returns Every problem with its place. */
export async function checkHooks(hooks: readonly PlacedHook[]): Promise<Problem[]> {
  const found = await Promise.all(hooks.map(async ({ hook, path, origin }): Promise<Problem[]> => {
    const { secretFile, command } = hook;
    const at = (key: string, message: string) => [{
      origin: origin(key),
      path: `${path}.${key}`,
      message,
    }];
    if (secretFile !== undefined) {
      try {
        const text = await Deno.readTextFile(secretFile);
        if (text.trim() === "") return at("secret_file", `${secretFile} is empty`);
      } catch (error) {
        return at("secret_file", `${secretFile} cannot be read: ${reasonOf(error)}`);
      }
    }
    const program = command?.[0];
    if (program !== undefined && !await isProgram(program)) {
      return at("command", `there is no program ${program} that can be run`);
    }
    if (program !== undefined && !await mayRun(program)) {
      return at("command", `this process may not start ${program}: ${MORE}`);
    }
    return [];
  }));
  return found.flat();
}

const MORE = "start the relay with QUMO_ALLOW=run in its environment (`deno run` takes " +
  "--allow-run), and `check` with the same";

async function mayRun(command: string): Promise<boolean> {
  return (await Deno.permissions.query({ name: "run", command })).state === "granted";
}

async function isProgram(name: string): Promise<boolean> {
  const windows = Deno.build.os === "windows";
  const isPath = name.includes("/") || (windows && name.includes("\\"));
  const folders = (Deno.env.get("PATH") ?? "").split(windows ? ";" : ":");
  const endings = windows ? ["", ".exe", ".cmd", ".bat"] : [""];
  const files = isPath ? [name] : folders.filter(Boolean).map((folder) => `${folder}/${name}`);
  for (const file of files.flatMap((file) => endings.map((ending) => file + ending))) {
    const info = await Deno.stat(file).catch(() => undefined);
    if (info?.isFile && ((info.mode ?? 0o111) & 0o111) !== 0) return true;
  }
  return false;
}
