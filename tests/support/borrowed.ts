/**
 * What tests borrow of the machine: processes, ports, directories.
 *
 * @module
 */

/** Kills a process that may have ended by itself, and waits for its end. */
export async function killed(process: Deno.ChildProcess): Promise<void> {
  try {
    process.kill("SIGKILL");
  } catch { // It has ended by itself.
  }
  await process.status;
}

/** Ports below those that systems give to sockets that name none: nobody takes one of them by chance. */
const [LOWEST_PORT, PORTS] = [10_240, 22_000];
const given = new Set<number>();

/** A port of 127.0.0.1 that was free a moment ago, for TCP and UDP, and that no other test of this process has. */
export function freePort(): number {
  for (;;) {
    const port = LOWEST_PORT + Math.floor(Math.random() * PORTS);
    if (given.has(port) || !isFree(port)) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): boolean {
  const at = { hostname: "127.0.0.1", port };
  try {
    Deno.listen(at).close();
    Deno.listenDatagram({ transport: "udp", ...at }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

/** Runs a test in a directory of its own, which is gone afterwards. */
export async function inDirectory(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
