/** A network path of UDP on this machine that a test can cut: what comes to its port goes to `serverPort`, and back. */
export function udpPath(serverPort: number): {
  readonly port: number;
  /** From now on every packet is lost. */
  cut(): void;
  [Symbol.asyncDispose](): Promise<void>;
} {
  const local = { transport: "udp", hostname: "127.0.0.1", port: 0 } as const;
  const front = Deno.listenDatagram(local);
  const back = Deno.listenDatagram(local);
  const server: Deno.NetAddr = { ...local, port: serverPort };
  let client: Deno.Addr | undefined;
  let open = true;
  const running = [
    pump(front, async (packet, from) => {
      client = from;
      if (open) await back.send(packet, server);
    }),
    pump(back, async (packet) => {
      if (open && client) await front.send(packet, client);
    }),
  ];
  return {
    port: (front.addr as Deno.NetAddr).port,
    cut: () => open = false,
    async [Symbol.asyncDispose]() {
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
