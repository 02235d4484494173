/**
 * What a burst of handshakes or a large group needs of the kernel's UDP buffers, in bytes. Deno does
 * not set SO_RCVBUF, so the system's default decides how many packets are dropped.
 */
export const WANTED_BUFFER_BYTES = 8_388_608;

/** Default sizes of a socket's buffers, in bytes. */
export interface SocketBuffers {
  readonly receiveBytes: number;
  readonly sendBytes: number;
}

/** The system's defaults; `undefined` where there is no /proc (other systems than Linux). */
export async function readSocketBuffers(): Promise<SocketBuffers | undefined> {
  const receiveBytes = parseCount(await readProc("/proc/sys/net/core/rmem_default"));
  const sendBytes = parseCount(await readProc("/proc/sys/net/core/wmem_default"));
  if (receiveBytes === undefined || sendBytes === undefined) return undefined;
  return { receiveBytes, sendBytes };
}

/** A warning with the commands that cure it, or `undefined` when the buffers are large enough. */
export function socketBufferWarning(buffers: SocketBuffers | undefined): string | undefined {
  if (!buffers) return undefined;
  const low = [
    ["net.core.rmem_default", buffers.receiveBytes] as const,
    ["net.core.wmem_default", buffers.sendBytes] as const,
  ].filter(([, bytes]) => bytes < WANTED_BUFFER_BYTES);
  if (low.length === 0) return undefined;
  const found = low.map(([name, bytes]) => `${name} is ${bytes}`).join(", ");
  const commands = low.map(([name]) => `sudo sysctl -w ${name}=${WANTED_BUFFER_BYTES}`);
  return [
    `The system drops UDP packets under load: ${found}. Before the next start run:`,
    ...commands,
  ]
    .join("\n  ");
}

/**
 * UDP packets the kernel dropped because a receive buffer was full, since the system started, over
 * all sockets of the network namespace, IPv4 and IPv6; `undefined` where there is no /proc.
 */
export async function readUdpDrops(): Promise<number | undefined> {
  const v4 = parseUdpDrops(await readProc("/proc/net/snmp") ?? "");
  const v6 = parseUdp6Drops(await readProc("/proc/net/snmp6") ?? "");
  return v4 === undefined && v6 === undefined ? undefined : (v4 ?? 0) + (v6 ?? 0);
}

/** `RcvbufErrors` of the "Udp:" lines of /proc/net/snmp: a line of names above a line of numbers. */
export function parseUdpDrops(snmp: string): number | undefined {
  const [names, values] = snmp.split("\n").filter((line) => line.startsWith("Udp:"))
    .map((line) => line.trim().split(/\s+/));
  const column = names?.indexOf("RcvbufErrors") ?? -1;
  return column === -1 ? undefined : parseCount(values?.[column]);
}

/** `Udp6RcvbufErrors` of /proc/net/snmp6, one name and number a line. A socket on [::] counts here. */
export function parseUdp6Drops(snmp6: string): number | undefined {
  return parseCount(/^Udp6RcvbufErrors\s+(\d+)\s*$/m.exec(snmp6)?.[1]);
}

/** A whole number, perhaps with a line end; `undefined` for anything else. */
export function parseCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text.trim()) ? Number(text) : undefined;
}

/** Absent on other systems, and hidden in some sandboxes: both mean "not known". */
async function readProc(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return undefined;
  }
}
