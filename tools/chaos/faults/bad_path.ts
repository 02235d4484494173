/** What a path does to UDP packets, in both directions. */
export interface Weather {
  /** How many packets of a hundred are lost. */
  readonly lossPercent: number;
  /** The delay of each packet, varied by the jitter. With jitter, packets overtake each other. */
  readonly delayMs: number;
  readonly jitterMs: number;
}

/** A bad path on this machine to a UDP port. Each client has a socket of its own behind it. */
export class BadPath implements Disposable {
  readonly port: number;
  passed = 0;
  lost = 0;
  readonly #front: Deno.DatagramConn;
  readonly #backs = new Map<number, Deno.DatagramConn>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #weather: Weather;
  readonly #random: () => number;
  readonly #server: Deno.NetAddr;

  constructor(serverPort: number, weather: Weather, random: () => number) {
    this.#weather = weather;
    this.#random = random;
    this.#server = { ...LOCAL, port: serverPort };
    this.#front = Deno.listenDatagram({ ...LOCAL, port: 0 });
    this.port = (this.#front.addr as Deno.NetAddr).port;
    void this.#read(this.#front, (packet, from) => {
      const back = this.#backOf(from);
      this.#pass(() => back.send(packet, this.#server));
    });
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of [this.#front, ...this.#backs.values()]) socket.close();
    this.#backs.clear();
  }

  #backOf(client: Deno.NetAddr): Deno.DatagramConn {
    let back = this.#backs.get(client.port);
    if (back === undefined) {
      back = Deno.listenDatagram({ ...LOCAL, port: 0 });
      this.#backs.set(client.port, back);
      void this.#read(back, (packet) => this.#pass(() => this.#front.send(packet, client)));
    }
    return back;
  }

  async #read(
    socket: Deno.DatagramConn,
    take: (packet: Uint8Array, from: Deno.NetAddr) => void,
  ): Promise<void> {
    try {
      for await (const [packet, from] of socket) take(packet, from as Deno.NetAddr);
    } catch { // Closed.
    }
  }

  #pass(send: () => Promise<number>): void {
    const { lossPercent, delayMs, jitterMs } = this.#weather;
    if (this.#random() * 100 < lossPercent) {
      this.lost++;
      return;
    }
    this.passed++;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      send().catch(() => {});
    }, delayMs + (this.#random() * 2 - 1) * jitterMs);
    this.#timers.add(timer);
  }
}

const LOCAL = { transport: "udp", hostname: "127.0.0.1" } as const;
