/**
 * A scripted peer of moq-transport for tests, on any {@link Connection} and in any draft. It has the codec of `wire/ietf/`
 * and nothing of `session/`: what it says and hears is what the draft has.
 *
 * ```ts
 * const peer = await IetfPeer.client(near, 18);          // opens the control stream, sends SETUP
 * await peer.setup();                                    // SETUP of the other side
 * const news = await peer.ask("publishNamespace", { namespace: ns("room", "alice") });
 * await news.expect("requestOk");
 * const asked = await peer.asked("subscribe");           // the other side's next request
 * asked.say("subscribeOk", { alias: 7 });                // the request's number is filled in where the draft has it
 * (await peer.subgroup({ alias: 7, group: 3 })).objects("abcd", { id: 5, payload: "ef" }).fin();
 * peer.datagram({ alias: 7, group: 4, object: 0 }, "hi");
 * asked.say("publishDone", { code: 2, streams: 1, reason: "" }).finish();
 *
 * const stream = await viewer.nextSubgroup();            // fills as bytes come
 * await stream.done();
 * assert.equal(`${stream}`, "7/3/0 p128 [0=abcd 5=ef] fin");
 * ```
 *
 * A request is an {@link Ask}, on a stream of its own (17+) or on the control stream by its number (up to 16). Every wait
 * fails after five seconds. Fields of a message that a test leaves out are empty.
 *
 * @module
 */
import assert from "node:assert/strict";
import { concat } from "../../base/bytes.ts";
import type {
  BidiStream,
  Connection,
  ReceiveStream,
  SendStream,
} from "../../transport/connection.ts";
import { dial } from "../../transport/dial.ts";
import type { WebTransportConnectOptions } from "../../transport/webtransport/webtransport_client.ts";
import {
  type DatagramHead,
  decodeDatagram,
  encodeDatagram,
  type ObjectDatagram,
} from "../../wire/ietf/data/datagram.ts";
import {
  encodeFetchHeader,
  encodeSubgroupHeader,
  type SubgroupHeader,
} from "../../wire/ietf/data/stream_head.ts";
import {
  type ControlMessage,
  type Dialect,
  dialectOf,
  type Kind,
  type Messages,
  type Request,
} from "../../wire/ietf/dialect.ts";
import type { GroupOrder } from "../../wire/ietf/fields.ts";
import type { WideInteger } from "../../wire/ietf/integers.ts";
import type { Setup, SetupOptions } from "../../wire/ietf/message/setup.ts";
import type { Namespace } from "../../wire/ietf/names.ts";
import { type Draft, type Profile, profileOf } from "../../wire/ietf/profile.ts";
import {
  type DataStream,
  endOf,
  Queue,
  raw,
  readDataStream,
  ScriptedFetch,
  ScriptedSubgroup,
  SeenFetch,
  SeenSubgroup,
  showProperties,
  soon,
} from "./peers/ietf_streams.ts";
import { BLANK, EMPTY, ns, OF_SESSION, REQUESTS, shown } from "./peers/ietf_messages.ts";

export { ns, raw, SeenFetch, SeenSubgroup, shown, showProperties, soon };

/** Waits for what comes on a queue. @throws {Error} */
async function take<T>(queue: Queue<T>, what: string): Promise<T> {
  const found = await queue.next(what);
  if (found === undefined) throw new Error(`the connection has ended before ${what}`);
  return found;
}

/** One request, whoever has made it: what its other side says, and what is said back. */
export class Ask {
  /** What has come and nobody took. */
  readonly #messages = new Queue<ControlMessage>();
  /** "fin", "reset 1" or "lost", once its own stream (17+) has ended. */
  end: string | undefined;
  /** "finished", "stopped", …: how our side of its own stream has ended. */
  sent: string | undefined;
  readonly #over = Promise.withResolvers<void>();

  constructor(
    readonly peer: IetfPeer,
    readonly id: number,
    readonly request: ControlMessage,
    readonly stream: BidiStream | undefined,
  ) {
    stream?.send.closed.then((end) => this.sent = end);
  }

  /** The request as a value, of the kind that the test knows it is. */
  value<K extends Request>(kind: K): Messages[K] {
    assert.equal(this.request.kind, kind);
    return this.request.value as unknown as Messages[K];
  }
  /** The next message. @throws {Error} */
  async next(): Promise<ControlMessage> {
    const what = `a message on ${this.request.kind} ${this.id}`;
    const found = await this.#messages.next(what);
    if (found === undefined) throw new Error(`waited for ${what}, but it has ended: ${this.end}`);
    return found;
  }
  /** The next message, which has to be of this kind. */
  async expect<K extends Kind>(kind: K): Promise<Messages[K]> {
    const { kind: came, value } = await this.next();
    assert.equal(came, kind, Deno.inspect(value));
    return value as unknown as Messages[K];
  }
  /** How many messages wait to be taken. */
  get waiting(): number {
    return this.#messages.length;
  }
  /** Waits until the other side has ended its own stream. @returns How. */
  async ended(): Promise<string> {
    await soon(this.#over.promise, `the end of ${this.request.kind} ${this.id}`);
    return this.end!;
  }
  /** Says something of this request. */
  say<K extends Kind>(kind: K, value: Partial<Messages[K]> = {}): this {
    this.raw(this.peer.encode(kind, { requestId: this.id, ...value }, this.#answered));
    return this;
  }
  /** Changes it. @returns The number of the update, which the answer names up to 16. */
  update(parameters: Messages["update"]["parameters"]): number {
    const id = this.peer.nextId();
    this.peer.route(id, this);
    const { requestStreams } = this.peer.profile;
    const value = { requestId: id, parameters, existing: requestStreams ? undefined : this.id };
    this.raw(this.peer.encode("update", value));
    return id;
  }
  /** Accepts an update of the other side. */
  accept(update: Messages["update"]): void {
    this.raw(this.peer.encode("requestOk", { requestId: update.requestId }, "update"));
  }
  get #answered(): Request {
    return this.request.kind as Request;
  }
  /** Any bytes where its messages go. */
  raw(bytes: Uint8Array): this {
    (this.stream?.send ?? this.peer.control).write(bytes);
    return this;
  }
  /** FIN, where it has a stream of its own. */
  finish(): this {
    this.stream?.send.finish();
    return this;
  }
  /** Takes it back, or gives it up, as the draft says. */
  cancel(): void {
    const { peer: { profile }, request: { kind, value } } = this;
    if (this.stream !== undefined) {
      this.stream.receive.stop(1);
      return this.stream.send.reset(1);
    }
    if (kind === "subscribe") this.say("unsubscribe");
    else if (kind === "fetch") this.say("fetchCancel");
    else if (kind === "publishNamespace") {
      const { namespace } = value as Messages["publishNamespace"];
      const named = profile.messages === "16" ? {} : { namespace, requestId: undefined };
      this.say(
        this.peer.isOurs(this.id) ? "publishNamespaceDone" : "publishNamespaceCancel",
        named,
      );
    } else if (kind === "subscribeNamespace") {
      const { prefix } = value as Messages["subscribeNamespace"];
      this.say("unsubscribeNamespace", { prefix });
    } else throw new Error(`${kind} cannot be taken back in ${profile.name}`);
  }

  /** Takes in what its other side says. */
  hear(message: ControlMessage): void {
    this.#messages.push(message);
  }
  over(end: string): void {
    this.end ??= end;
    this.#over.resolve();
    this.#messages.end();
  }
}

/** How a peer begins. */
export interface PeerOptions {
  /** Beside what the draft needs: path and authority on raw QUIC, and request numbers without end. */
  readonly setup?: SetupOptions;
  /** Versions to offer where SETUP settles them (14). Default: that of the draft. */
  readonly versions?: readonly number[];
  /** Says nothing: no control stream, no SETUP. */
  readonly silent?: boolean;
  /** How it writes the draft, if not as that says. */
  readonly profile?: Profile;
  /** Data streams are read once this has fulfilled: how slow viewers are. */
  readonly hold?: Promise<void>;
}

const OPTIONS: WebTransportConnectOptions = { protocols: [] };

/** One end of a session. See the top of this file. */
export class IetfPeer {
  readonly profile: Profile;
  readonly dialect: Dialect;
  /** The stream that our side's messages of the session go to. */
  control!: SendStream;
  /** What the session was closed with, once it is. */
  closed: { readonly code: number; readonly reason: string } | undefined;
  readonly #client: boolean;
  readonly #hold: Promise<void> | undefined;
  readonly #asks = new Map<number, Ask>();
  readonly #asked = new Queue<Ask>();
  readonly #controls = new Queue<ControlMessage>();
  readonly #subgroups = new Queue<SeenSubgroup>();
  readonly #fetches = new Queue<SeenFetch>();
  readonly #datagrams = new Queue<ObjectDatagram>();
  readonly #orders = new Map<number, GroupOrder>();
  /** Every stream, so that none is collected and thereby finished. */
  readonly #held: unknown[] = [];
  /** Every subgroup and fetch that came, taken or not. */
  readonly streams: DataStream[] = [];
  #nextId: number;

  private constructor(
    readonly connection: Connection,
    draft: Draft,
    client: boolean,
    { hold, profile = profileOf(draft) }: PeerOptions,
  ) {
    this.#hold = hold;
    this.profile = profile;
    this.dialect = dialectOf(this.profile);
    this.#client = client;
    this.#nextId = client ? 0 : 1;
    connection.closed.then(({ code, reason }) => {
      this.closed = { code, reason };
      const queues = [this.#asked, this.#controls, this.#subgroups, this.#fetches, this.#datagrams];
      for (const queue of queues) queue.end();
    });
    void this.#acceptUnis();
    void this.#acceptBidis();
    void this.#readDatagrams();
  }

  /** The side that has dialed. It has sent SETUP, and waits for no answer. */
  static async client(
    connection: Connection,
    draft: Draft,
    options: PeerOptions = {},
  ): Promise<IetfPeer> {
    const peer = new IetfPeer(connection, draft, true, options);
    if (options.silent === true) return peer;
    if (peer.profile.control === "uni") peer.control = await connection.openUni();
    else {
      const stream = await connection.openBidi();
      peer.control = stream.send;
      void peer.#readControl(stream.receive);
    }
    const quic = connection.kind === "quic";
    peer.say("clientSetup", {
      versions: options.versions ?? peer.#versions,
      options: {
        ...(quic && { path: connection.path, authority: "localhost" }),
        ...peer.#setupOptions,
        ...options.setup,
      },
    });
    return peer;
  }

  /** The side that was dialed. It sends SETUP as soon as the draft lets it. */
  static async server(
    connection: Connection,
    draft: Draft,
    options: PeerOptions = {},
  ): Promise<IetfPeer> {
    const peer = new IetfPeer(connection, draft, false, options);
    if (options.silent === true) return peer;
    if (peer.profile.control === "uni") peer.control = await connection.openUni();
    else await peer.setup();
    const versions = options.versions ?? peer.#versions;
    peer.say("serverSetup", { versions, options: { ...peer.#setupOptions, ...options.setup } });
    return peer;
  }

  /** Dials a server by the scheme of the URL: `moqt:` for raw QUIC, `https:` for WebTransport. */
  static async dial(
    url: string,
    draft: Draft,
    { hash, ...options }: PeerOptions & { readonly hash?: Uint8Array } = {},
  ): Promise<IetfPeer> {
    const { alpn, setupVersion } = profileOf(draft);
    // Draft 14 has no name among the protocols of WebTransport.
    const named = setupVersion === undefined || !url.startsWith("https:");
    const protocols = named ? [alpn] : [];
    const connection = await dial(url, { ...OPTIONS, protocols, ...(hash && { hash }) });
    return await IetfPeer.client(connection, draft, options);
  }

  get #versions(): readonly number[] {
    const { setupVersion } = this.profile;
    return setupVersion === undefined ? [] : [setupVersion];
  }
  get #setupOptions(): SetupOptions {
    return this.profile.maxRequestId ? { maxRequestId: 10_000 } : {};
  }

  /** SETUP of the other side. */
  async setup(): Promise<Setup> {
    const { kind, value } = await this.nextControl();
    assert.match(kind, /Setup$/);
    return value as Setup;
  }
  /** The next message that belongs to no request. @throws {Error} */
  nextControl(): Promise<ControlMessage> {
    return take(this.#controls, "a message of the session");
  }
  /** The next message that belongs to no request, which has to be of this kind. */
  async expect<K extends Kind>(kind: K): Promise<Messages[K]> {
    const { kind: came, value } = await this.nextControl();
    assert.equal(came, kind, Deno.inspect(value));
    return value as unknown as Messages[K];
  }
  /** The bytes of a message. What is left out is empty. */
  encode<K extends Kind>(kind: K, value: Partial<Messages[K]>, answers?: Request): Uint8Array {
    const whole = { ...BLANK, ...value } as unknown as Messages[K];
    return this.dialect.encode(kind, whole, answers);
  }
  /** Says something of the session: GOAWAY, MAX_REQUEST_ID. */
  say<K extends Kind>(kind: K, value: Partial<Messages[K]> = {}): void {
    this.control.write(this.encode(kind, value));
  }
  /** The number of our next request, used up. */
  nextId(): number {
    const id = this.#nextId;
    this.#nextId += 2;
    return id;
  }
  isOurs(id: number): boolean {
    return (id % 2 === 0) === this.#client;
  }
  /** What is said of this number belongs to that request. */
  route(id: number, ask: Ask): void {
    this.#asks.set(id, ask);
  }

  /** Asks for something. @param value May name a number, which is the next one otherwise. */
  async ask<K extends Exclude<Request, "update">>(
    kind: K,
    value: Partial<Messages[K]> = {},
  ): Promise<Ask> {
    const id = (value as { requestId?: number }).requestId ?? this.nextId();
    const whole = { ...BLANK, ...value, requestId: id } as unknown as Messages[K];
    const { parameters } = whole as unknown as Messages["fetch"];
    this.#orders.set(id, parameters.groupOrder ?? "ascending");
    const { requestStreams, namespaceStream } = this.profile;
    const own = requestStreams || (namespaceStream && kind === "subscribeNamespace");
    const stream = own ? await this.connection.openBidi() : undefined;
    const ask = new Ask(this, id, { kind, value: whole } as ControlMessage, stream);
    this.#asks.set(id, ask);
    this.#held.push(stream);
    if (stream !== undefined) void this.#readAsk(ask, stream.receive, EMPTY);
    ask.raw(this.dialect.encode(kind, whole));
    return ask;
  }
  /** The other side's next request, of this kind if one is named. @throws {Error} */
  async asked(kind?: Request): Promise<Ask> {
    const ask = await take(this.#asked, `a request${kind === undefined ? "" : `: ${kind}`}`);
    if (kind !== undefined) assert.equal(ask.request.kind, kind);
    return ask;
  }
  /** How many requests of the other side wait to be taken. */
  get waiting(): number {
    return this.#asked.length;
  }

  /** Opens the stream of a subgroup. Priority 128 and subgroup 0 where the test says nothing else. */
  async subgroup(
    header: Partial<SubgroupHeader> & { readonly alias: WideInteger; readonly group: number },
  ): Promise<ScriptedSubgroup> {
    const whole: SubgroupHeader = {
      subgroup: 0,
      priority: 128,
      properties: false,
      endOfGroup: false,
      firstObject: undefined,
      ...header,
    };
    const send = await this.uni(encodeSubgroupHeader(whole, this.profile));
    return new ScriptedSubgroup(send, whole, this.profile);
  }
  /** Opens the stream that answers a fetch. */
  async fetchStream(requestId: number, order?: GroupOrder): Promise<ScriptedFetch> {
    const send = await this.uni(encodeFetchHeader(requestId, this.profile));
    return new ScriptedFetch(send, this.profile, order);
  }
  /** Sends one object as a datagram. @returns False when the transport has dropped it. */
  datagram(
    head: Partial<DatagramHead> & Pick<DatagramHead, "alias" | "group">,
    payload: Uint8Array | string = EMPTY,
  ): boolean {
    const whole = { object: 0, priority: 128, properties: EMPTY, status: 0, endOfGroup: false };
    const bytes = encodeDatagram({ ...whole, ...head }, raw(payload), this.profile);
    return this.connection.sendDatagram(bytes);
  }
  /** Opens a stream that begins with any bytes. */
  async uni(bytes: Uint8Array): Promise<SendStream> {
    const send = await this.connection.openUni();
    this.#held.push(send);
    send.write(bytes);
    return send;
  }
  /** Opens a stream that begins with any bytes. */
  async bidi(bytes: Uint8Array): Promise<BidiStream> {
    const stream = await this.connection.openBidi();
    this.#held.push(stream);
    stream.send.write(bytes);
    return stream;
  }

  /** The next stream of a subgroup. It need not be whole. @throws {Error} */
  nextSubgroup(): Promise<SeenSubgroup> {
    return take(this.#subgroups, "a subgroup");
  }
  /** The next answer to a fetch. It need not be whole. @throws {Error} */
  nextFetch(): Promise<SeenFetch> {
    return take(this.#fetches, "the answer to a fetch");
  }
  /** The next object that came as a datagram. @throws {Error} */
  nextDatagram(what = "a datagram"): Promise<ObjectDatagram> {
    return take(this.#datagrams, what);
  }
  /** Waits until the session is closed. @returns The code. */
  async end(): Promise<number> {
    return (await soon(this.connection.closed, "the end of the session")).code;
  }
  close(code = 0, reason = ""): void {
    this.connection.close(code, reason);
  }
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return this.connection.closed.then(() => {});
  }

  async #acceptUnis(): Promise<void> {
    for (let receive; (receive = await this.connection.acceptUni());) void this.#readUni(receive);
  }
  #unis = 0;
  async #readUni(receive: ReceiveStream): Promise<void> {
    this.#held.push(receive);
    let control: Uint8Array | undefined;
    // The first stream is the control stream (17+).
    if (this.profile.control === "bidi" || this.#unis++ > 0) await this.#hold;
    await readDataStream(receive, this.profile, (stream, bytes) => {
      if (stream === "control") control = bytes;
      else if (stream !== "padding") {
        this.streams.push(stream);
        if (stream instanceof SeenSubgroup) this.#subgroups.push(stream);
        else this.#fetches.push(stream);
      }
    }, (id) => this.#orders.get(id) ?? "ascending");
    if (control !== undefined) await this.#readControl(receive, control);
  }

  async #acceptBidis(): Promise<void> {
    for (let stream; (stream = await this.connection.acceptBidi());) {
      this.#held.push(stream);
      void this.#readBidi(stream);
    }
  }
  /** A request of the other side, or where that has dialed its control stream. */
  async #readBidi({ send, receive }: BidiStream): Promise<void> {
    let ask: Ask | undefined;
    try {
      await this.#readMessages(receive, EMPTY, (message) => {
        if (ask !== undefined) return ask.hear(message);
        if (OF_SESSION.has(message.kind)) this.control = send;
        const { requestId } = message.value as { requestId?: number };
        if (!REQUESTS.has(message.kind) || send === this.control) return this.#route(message);
        ask = new Ask(this, requestId!, message, { send, receive });
        this.#asks.set(requestId!, ask);
        this.#asked.push(ask);
      });
      ask?.over("fin");
    } catch (error) {
      ask?.over(endOf(error));
    }
  }
  async #readAsk(ask: Ask, receive: ReceiveStream, bytes: Uint8Array): Promise<void> {
    try {
      await this.#readMessages(receive, bytes, (message) => ask.hear(message));
      ask.over("fin");
    } catch (error) {
      ask.over(endOf(error));
    }
  }
  async #readControl(receive: ReceiveStream, bytes: Uint8Array = EMPTY): Promise<void> {
    try {
      await this.#readMessages(receive, bytes, (message) => this.#route(message));
    } catch { // The connection has ended: `closed` says how.
    }
  }
  async #readMessages(
    receive: ReceiveStream,
    bytes: Uint8Array,
    found: (message: ControlMessage) => void,
  ): Promise<void> {
    for (;;) {
      for (let head; (head = this.dialect.readHead(bytes));) {
        const end = head.length + head.bodyLength;
        if (bytes.length < end) break;
        found(this.dialect.decode(head.type, bytes.slice(head.length, end)));
        bytes = bytes.slice(end);
      }
      const chunk = await receive.read();
      if (chunk === undefined) return;
      bytes = concat([bytes, chunk]);
    }
  }
  /** Hands a message of the control stream to the request it is of. */
  #route(message: ControlMessage): void {
    const { kind, value } = message;
    const { requestId, existing, namespace, prefix } = value as Partial<
      Messages["update"] & Messages["publishNamespaceDone"] & Messages["unsubscribeNamespace"]
    >;
    if (REQUESTS.has(kind)) {
      const ask = new Ask(this, requestId!, message, undefined);
      this.#asks.set(requestId!, ask);
      this.#asked.push(ask);
      return;
    }
    const named = (kind: Kind, key: "namespace" | "prefix", name: Namespace) =>
      this.#asks.values().find(({ request }) =>
        request.kind === kind && shown((request.value as never)[key]) === shown(name)
      );
    const ask = OF_SESSION.has(kind) || kind === "goaway"
      ? undefined
      : existing !== undefined
      ? this.#asks.get(existing)
      : namespace !== undefined
      ? named("publishNamespace", "namespace", namespace)
      : prefix !== undefined
      ? named("subscribeNamespace", "prefix", prefix)
      : this.#asks.get(requestId!);
    if (ask !== undefined) ask.hear(message);
    else this.#controls.push(message);
  }
  async #readDatagrams(): Promise<void> {
    for (let bytes; (bytes = await this.connection.readDatagram());) {
      const datagram = decodeDatagram(bytes, this.profile);
      if (datagram !== undefined) this.#datagrams.push(datagram);
    }
  }
}
