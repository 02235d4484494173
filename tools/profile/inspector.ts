/** The debugger of one program, over its WebSocket: the Chrome DevTools Protocol. Its owner closes it. */
export class Inspector implements Disposable {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #listeners = new Map<string, (params: unknown) => void>();
  #next = 1;

  /** @param url As the program prints it: "ws://127.0.0.1:9229/ws/…". @throws {Error} Nobody answers there. */
  static async open(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    const opened = Promise.withResolvers<void>();
    socket.onopen = () => opened.resolve();
    socket.onerror = () => opened.reject(new Error(`no debugger at ${url}`));
    await opened.promise;
    return new Inspector(socket);
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    socket.onclose = () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("the program has ended"));
    };
  }

  /** Calls a method, such as "Profiler.start", and waits for the answer. @throws {Error} It was refused, or the program ended. */
  call<T>(method: string, params: Record<string, unknown> = {}): Promise<T> {
    const id = this.#next++;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return answer.promise as Promise<T>;
  }

  /** Sets the listener of an event. */
  on<T>(event: string, listener: (params: T) => void): void {
    this.#listeners.set(event, listener as (params: unknown) => void);
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #take(message: Answer | Event): void {
    if (!("id" in message)) return this.#listeners.get(message.method)?.(message.params);
    const answer = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error === undefined) answer?.resolve(message.result);
    else answer?.reject(new Error(message.error.message));
  }
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Event {
  readonly method: string;
  readonly params: unknown;
}
