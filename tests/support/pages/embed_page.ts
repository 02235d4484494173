/** Pages of another origin with `<qumo-watch>` in them. */

/** A web site of one page, on a port of its own. */
export function site(html: string): AsyncDisposable & { readonly origin: string } {
  const headers = { "content-type": "text/html; charset=utf-8" };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(html, { headers }),
  );
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Evaluated in a page: how many different pictures its player shows, looked at until there are five. */
export const PICTURES = `(async (wanted) => {
  const player = document.querySelector("qumo-watch");
  const canvas = player.shadowRoot.querySelector("canvas");
  const small = new OffscreenCanvas(32, 18);
  const context = small.getContext("2d", { willReadFrequently: true });
  const seen = new Set();
  for (let looks = 0; looks < 300 && seen.size < wanted; looks++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (player.videoWidth === 0) continue;
    context.drawImage(canvas, 0, 0, 32, 18);
    const { data } = context.getImageData(0, 0, 32, 18);
    if (data.some((byte, i) => i % 4 !== 3 && byte > 60)) seen.add(data.join());
  }
  return seen.size;
})(5)`;
