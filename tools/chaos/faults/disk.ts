import { say } from "../../say.ts";

/** A file system of 256 KB, so that filling it harms nothing else. */
export interface SmallDisk {
  readonly path: string;
  remove(): void;
}

/** @returns `undefined` if it cannot be mounted, after a message. It needs Linux and root. */
export function smallDisk(path: string): SmallDisk | undefined {
  Deno.mkdirSync(path);
  const run = (command: string, ...args: string[]) => {
    try {
      return new Deno.Command(command, { args }).outputSync().success;
    } catch { // There is no such program here.
      return false;
    }
  };
  if (!run("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", path)) {
    say(
      "full-disk is left out: a small file system cannot be mounted here (it takes Linux and root)",
    );
    return undefined;
  }
  return { path, remove: () => void run("umount", path) };
}
