/** The answer to a request for a WebSocket, which `WebSocket` itself does not tell. */
export async function webSocketAnswer(
  port: number,
  path = "/",
): Promise<{ readonly status: number; readonly headers: Headers }> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    await conn.write(new TextEncoder().encode(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
        "Sec-WebSocket-Protocol: qmux-02.moq-lite-06\r\n\r\n",
    ));
    const bytes = new Uint8Array(4096);
    const length = await conn.read(bytes) ?? 0;
    const [first = "", ...lines] = new TextDecoder().decode(bytes.subarray(0, length))
      .split("\r\n\r\n")[0]!.split("\r\n");
    const headers = new Headers(lines.map((line): [string, string] => {
      const at = line.indexOf(":");
      return [line.slice(0, at), line.slice(at + 1).trim()];
    }));
    return { status: Number(first.split(" ")[1]), headers };
  } finally {
    conn.close();
  }
}
