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

/** A port of 127.0.0.1 that was free a moment ago. */
export function freePort(transport: "tcp" | "udp" = "tcp"): number {
  const at = { hostname: "127.0.0.1", port: 0 };
  using listener = transport === "tcp"
    ? Deno.listen(at)
    : closing(Deno.listenDatagram({ transport, ...at }));
  return (listener.addr as Deno.NetAddr).port;
}

function closing(socket: Deno.DatagramConn): Pick<Deno.DatagramConn, "addr"> & Disposable {
  return { addr: socket.addr, [Symbol.dispose]: () => socket.close() };
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
