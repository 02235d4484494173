/** A packet that waits longer than this before a narrow path is lost, in milliseconds. */
const QUEUE_MS = 300;

/** A network path of UDP on this machine that a test can cut or narrow: what comes to its port goes to `serverPort`, and back. */
export function udpPath(serverPort: number): {
  readonly port: number;
  /** From now on every packet is lost. */
  cut(): void;
  /** Limits the rate to the client, in bits per second. Without a number there is no limit. */
  narrow(bitsPerSecond?: number): void;
  [Symbol.asyncDispose](): Promise<void>;
} {
  const local = { transport: "udp", hostname: "127.0.0.1", port: 0 } as const;
  const front = Deno.listenDatagram(local);
  const back = Deno.listenDatagram(local);
  const server: Deno.NetAddr = { ...local, port: serverPort };
  let client: Deno.Addr | undefined;
  let open = true;
  let bitsPerMs = Infinity;
  let freeAtMs = 0;
  const late = new Set<ReturnType<typeof setTimeout>>();
  /** Passes a packet on when its turn comes. */
  const queue = (packet: Uint8Array, to: Deno.Addr) => {
    const nowMs = performance.now();
    freeAtMs = Math.max(freeAtMs, nowMs);
    if (freeAtMs - nowMs > QUEUE_MS) return;
    freeAtMs += packet.length * 8 / bitsPerMs;
    const kept = packet.slice();
    const timer = setTimeout(() => {
      late.delete(timer);
      front.send(kept, to).catch(() => {}); // the path is gone
    }, freeAtMs - nowMs);
    late.add(timer);
  };
  const running = [
    pump(front, async (packet, from) => {
      client = from;
      if (open) await back.send(packet, server);
    }),
    pump(back, async (packet) => {
      if (!open || client === undefined) return;
      if (bitsPerMs === Infinity) await front.send(packet, client);
      else queue(packet, client);
    }),
  ];
  return {
    port: (front.addr as Deno.NetAddr).port,
    cut: () => open = false,
    narrow: (bitsPerSecond = Infinity) => void (bitsPerMs = bitsPerSecond / 1000),
    async [Symbol.asyncDispose]() {
      for (const timer of late) clearTimeout(timer);
      front.close();
      back.close();
      await Promise.all(running);
    },
  };
}

async function pump(
  socket: Deno.DatagramConn,
  pass: (packet: Uint8Array, from: Deno.Addr) => Promise<void>,
): Promise<void> {
  try {
    for await (const [packet, from] of socket) await pass(packet, from);
  } catch { // Closed in the middle of a send.
  }
}
