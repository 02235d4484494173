/** A webhook's receiver on 127.0.0.1, that checks signatures as docs/hooks.md shows. */
import { createHmac, timingSafeEqual } from "node:crypto";

export const SECRET = "a secret of the tests";

export interface Received {
  readonly event: string;
  readonly broadcast: string;
  readonly id: string;
  readonly [key: string]: unknown;
}

export class HookReceiver implements AsyncDisposable {
  /** Events that were answered with 200, in order. */
  readonly events: Received[] = [];
  /** Every request: the path that was asked, and the id of the event. */
  readonly requests: { readonly path: string; readonly id: string }[] = [];
  /** Of every request: method, URL and headers as they came, without the body. */
  readonly heads: string[] = [];
  /** Requests whose signature is wrong. */
  forged = 0;
  /** Answers a request in another way than 200. */
  answer: (request: number) => Response | Promise<Response> | undefined = () => undefined;
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const body = await request.text();
      if (!verified(request.headers.get("qumo-signature") ?? "", body)) this.forged++;
      const event = JSON.parse(body || "{}");
      const number = this.requests.length;
      this.heads.push(JSON.stringify([request.method, request.url, ...request.headers]));
      this.requests.push({ path: new URL(request.url).pathname, id: event.id });
      const answer = await this.answer(number);
      if (answer !== undefined) return answer;
      this.events.push(event);
      return new Response("ok");
    },
  );

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/hook?token=unseen`;
  }

  /** "publish live/a", in order. */
  get told(): string[] {
    return this.events.map(({ event, broadcast }) => `${event} ${broadcast}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** Whether a request is ours, and not older than five minutes. */
export function verified(header: string, body: string, secret = SECRET): boolean {
  const [, seconds, hex] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header) ?? [];
  if (seconds === undefined) return false;
  if (Math.abs(Date.now() / 1000 - Number(seconds)) > 300) return false;
  const right = createHmac("sha256", secret).update(`${seconds}.${body}`).digest();
  return timingSafeEqual(right, Uint8Array.from(hex!.match(/../g)!, (byte) => parseInt(byte, 16)));
}
