/**
 * A client of a relay or publisher. It has one session, or one after another if it reconnects.
 *
 * @module
 */
import { Backoff } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import { type Logger, silent } from "../base/logger.ts";
import { sleep } from "../base/sleep.ts";
import type { Renewals } from "../relay/feed/renewals.ts";
import { randomHop } from "../relay/hop.ts";
import { Origin } from "../relay/origin.ts";
import { openSession } from "../session/open.ts";
import type { ProbeReport } from "../session/session.ts";
import type { CloseInfo, Connection } from "../transport/connection.ts";
import { ConnectionClosed } from "../transport/errors.ts";
import { versionsOf } from "../wire/versions.ts";
import { Bell, unlessAborted, type WaitOptions } from "../base/bell.ts";
import { Link } from "./link.ts";
import type { TrackMux } from "./mux.ts";
import { Peer, type PeerOptions, trackContext } from "./peer.ts";
import {
  type ClientStatus,
  type Elsewhere,
  type GoawayPolicy,
  goawayTarget,
  isFinal,
  type ReconnectOptions,
  shown,
  withToken,
} from "./reconnect.ts";
import { Remote } from "./remote.ts";

/** Options of a client over one given connection. */
export interface ClientOptions extends PeerOptions {
  /** Path and query to send in SETUP, for transports without a URL. */
  readonly path?: string;
  /** Serves broadcasts by their path, besides the published ones. */
  readonly mux?: TrackMux;
  /** The peer asks us to leave and to connect to this URL; empty means to the same one. */
  readonly ongoaway?: (uri: string) => void;
}

/** Options of a client that dials. */
export interface DialOptions extends Omit<ClientOptions, "path"> {
  /**
   * Sent to the relay as `?jwt=…`. A function is called before every attempt, for tokens that expire. Never logged.
   */
  readonly token?: string | (() => string | Promise<string>);
  /**
   * Dials again when the session is lost. Published broadcasts are announced again under the same hop id, and subscriptions
   * continue after their last group. If the first attempt fails, {@link Client.dial} rejects at once. Default: no.
   */
  readonly reconnect?: boolean | ReconnectOptions;
  /** Default: "same-host" for a client that reconnects, else "ignore". */
  readonly goaway?: GoawayPolicy;
  /** Called at every change: connected, lost, moving, closed. */
  readonly onstatus?: (status: ClientStatus) => void;
  /** Aborts the first attempt. It has no effect once the first session is open. */
  readonly signal?: AbortSignal;
}

/** Opens one connection. @throws {ConnectFailed} */
export type Dialer = (url: URL, signal: AbortSignal) => Promise<Connection>;

/** How long a close may take to leave this machine, in milliseconds. Transports do not tell when it has left. */
const GOODBYE_MS = 20;
/** How long an old session goes on beside the next one after GOAWAY, and how often it is checked. */
const HANDOVER_MS = 10_000;
const HANDOVER_STEP_MS = 100;

interface Setup {
  readonly path?: string;
  readonly dial?: {
    readonly url: URL;
    readonly dialer: Dialer;
    readonly options: DialOptions;
    readonly elsewhere: Elsewhere | undefined;
  };
  readonly renewals?: Renewals | undefined;
}

/** A live client. Close it in the end. */
export class Client extends Peer implements AsyncDisposable {
  readonly #options: ClientOptions;
  readonly #setup: Setup;
  readonly #reconnect: ReconnectOptions | undefined;
  readonly #hop: bigint;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #local: Origin;
  readonly #remote: Remote;
  readonly #over: PromiseWithResolvers<CloseInfo>;
  readonly #backoff: Backoff;
  /** Ends attempts and waits. */
  readonly #stop = new AbortController();
  readonly #changed = new Bell();
  /** All open sessions: the current one, and one that we are leaving. */
  readonly #links = new Set<Link>();
  /** The newest one, also when it is over. */
  #link: Link | undefined;
  #connectedAtMs = 0;
  /** What was dialed last and answered. */
  #at: URL | undefined;
  #sessions = 0;
  #status: ClientStatus | undefined;
  #dialing = false;
  #settleCancel: (() => void) | undefined;
  readonly #unbind: Disposable | undefined;

  /** Opens a session over an open connection. @throws {NoCommonVersion} @throws {ProtocolViolation} */
  static async over(connection: Connection, options: ClientOptions = {}): Promise<Client> {
    const client = new Client(options, options);
    try {
      await client.#begin(connection, options.path);
      return client;
    } catch (error) {
      client.#unbind?.[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Dials, and dials again if told to reconnect.
   * @param dialer Opens connections to the URL, or to where a GOAWAY leads.
   * @param elsewhere Knows other nodes of the cluster.
   * @throws {ConnectFailed} @throws {NoCommonVersion} @throws {ProtocolViolation} @throws The signal's reason.
   */
  static async dial(
    url: string | URL,
    dialer: Dialer,
    options: DialOptions = {},
    elsewhere?: Elsewhere,
  ): Promise<Client> {
    const setup: Setup = { dial: { url: new URL(url), dialer, options, elsewhere } };
    // Loaded by those who may have another session after the first one alone.
    const { renewals } = policyOf(setup) === "ignore" ? {} : await import("./nodes/renewals.ts");
    const client = new Client(options, { ...setup, renewals });
    const { signal } = options;
    const abort = () => client.#stop.abort(signal!.reason);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      signal?.throwIfAborted();
      const open = (at: URL) => client.#open(at);
      await (elsewhere?.enter(open, client.#stop.signal) ?? open(new URL(url)));
      return client;
    } catch (error) {
      client.#unbind?.[Symbol.dispose]();
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  private constructor(options: ClientOptions, setup: Setup) {
    const context = trackContext(options);
    const hop = options.hop ?? randomHop();
    const local = new Origin({ context, hop, lingerMs: 0 });
    const reconnect = reconnectOf(setup);
    const { renewals } = setup;
    const resumeMs = reconnect === undefined ? 0 : RESUME_MS;
    const remote = new Remote({ context, resumeMs, renewals });
    const over = Promise.withResolvers<CloseInfo>();
    super({ local, remote, over: over.promise });
    this.#options = options;
    this.#setup = setup;
    this.#reconnect = reconnect;
    this.#hop = hop;
    this.#clock = context.clock;
    this.#log = options.log ?? silent;
    this.#local = local;
    this.#remote = remote;
    this.#over = over;
    this.#backoff = new Backoff(reconnect);
    this.#unbind = options.mux?.bind(local);
  }

  /** The version of the newest session: "moq-lite-06". */
  get version(): string {
    return this.#link!.session.version;
  }

  /** The transport of the newest session. */
  get transport(): Connection["kind"] {
    return this.#link!.session.connection.kind;
  }

  /** "ip:port" of the peer of the newest session. */
  get remoteAddress(): string {
    return this.#link!.session.connection.remoteAddress;
  }

  /** Our hop id in routes: the same in every session. */
  get hop(): bigint {
    return this.#hop;
  }

  /** The current status. */
  get status(): ClientStatus {
    return this.#status!;
  }

  /**
   * The current status, then every change until the client is closed. Changes in quick succession come as one.
   * @throws The signal's reason.
   */
  async *statuses(options: WaitOptions = {}): AsyncIterableIterator<ClientStatus> {
    for (let told: ClientStatus | undefined;;) {
      while (this.#status === told) await this.#changed.wait(options.signal);
      yield told = this.#status!;
      if (told.state === "closed") return;
    }
  }

  /** Fulfils when the client is over: closed, lost without a reconnect, or given up. Never rejects. */
  get closed(): Promise<CloseInfo> {
    return this.#over.promise;
  }

  /**
   * Asks the peer for bit rate and round trip: PROBE.
   * @returns `undefined` if the version has no PROBE: moq-lite-01 and -02, moq-transport.
   * @throws {NotFound} The peer refused. @throws {SourceLost} @throws The signal's reason.
   */
  async probe(options: WaitOptions = {}): Promise<ProbeReport | undefined> {
    await this.reachable(options.signal);
    return await unlessAborted(this.#link!.session.probe(), options.signal);
  }

  /**
   * Ends in order: waits until the peer has received all finished groups, then ends the session. Close your broadcasts first:
   * an open track is served until the time is up.
   *
   * @param options.timeoutMs Longest time this may take, in milliseconds. Default 5,000.
   * @param options.signal Ends at once when aborted.
   */
  async end(options: WaitOptions & { readonly timeoutMs?: number } = {}): Promise<void> {
    const { timeoutMs = 5000, signal } = options;
    this.#stop.abort();
    const { session } = this.#link!;
    const endsAtMs = performance.now() + timeoutMs;
    let over = false;
    session.connection.closed.then(() => over = true);
    const on = () => !over && !signal?.aborted && performance.now() < endsAtMs;
    while (session.servedCount > 0 && on()) {
      await sleep(10);
    }
    if (on()) await session.settled(Math.min(1000, endsAtMs - performance.now()));
    await this.close();
  }

  /** Ends at once. Groups on their way are cut, and no session follows. */
  async close(code = 0, reason = "", options: WaitOptions = {}): Promise<void> {
    this.#stop.abort();
    const links = [...this.#links];
    for (const { session } of links) session.close(code, reason);
    if (links.length === 0) this.#finish({ code, reason, abrupt: false });
    await unlessAborted(this.closed, options.signal);
    // If the program ended now, the close would not leave this machine, and the peer would wait for its idle timeout.
    await sleep(GOODBYE_MS);
  }

  /** Closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Waits for the next session while there is none. */
  protected override async reachable(signal: AbortSignal | undefined): Promise<void> {
    while (this.#links.size === 0 && !this.#stop.signal.aborted && this.#dialing) {
      await this.#changed.wait(signal);
    }
    signal?.throwIfAborted();
  }

  /** One attempt. */
  async #open(url: URL): Promise<void> {
    const { dialer, options } = this.#setup.dial!;
    const { signal } = this.#stop;
    const { token } = options;
    const target = withToken(url, typeof token === "function" ? await token() : token);
    const connection = await dialer(target, signal);
    const close = () => connection.close();
    signal.addEventListener("abort", close, { once: true });
    if (signal.aborted) close();
    try {
      const raw = connection.kind === "quic";
      this.#at = url;
      await this.#begin(connection, raw ? target.pathname + target.search : undefined, target.host);
    } catch (error) {
      throw signal.aborted && error instanceof ConnectionClosed ? signal.reason : error;
    } finally {
      signal.removeEventListener("abort", close);
    }
  }

  async #begin(connection: Connection, path?: string, authority?: string): Promise<void> {
    const { versions } = this.#options;
    const link = await Link.start({
      open: openSession,
      connection,
      serve: this.#local,
      context: this.#local.context,
      hop: this.#hop,
      stats: this.stats,
      clock: this.#clock,
      log: this.#log,
      ...(versions === undefined ? {} : { versions: versionsOf(versions) }),
      ...(path === undefined ? {} : { path, ...(authority === undefined ? {} : { authority }) }),
      replaceable: this.#policy !== "ignore" || this.#reconnect !== undefined,
      ongoaway: (uri, from) => this.#goaway(uri, from),
      onlost: (info, lost) => this.#lost(info, lost),
    });
    this.#link = link;
    this.#links.add(link);
    this.#connectedAtMs = this.#clock.now();
    this.#remote.attach(link);
    this.#settleLater();
    for (const other of this.#links) if (other !== link) this.#leave(other);
    const { session } = link;
    this.#tell({
      state: "connected",
      version: session.version,
      remoteAddress: connection.remoteAddress,
      session: ++this.#sessions,
    });
    if (this.#stop.signal.aborted) session.close();
  }

  get #policy(): GoawayPolicy {
    return policyOf(this.#setup);
  }

  #lost(info: CloseInfo, link: Link): void {
    this.#links.delete(link);
    const current = link === this.#link;
    const why = link.session.reasonFor(info.code);
    const reconnect = this.#reconnect;
    const refused = !reconnect?.evenRefused && (why === "unauthorized" || why === "version");
    const again = !this.#stop.signal.aborted && !refused && reconnect !== undefined;
    link.leaving = true;
    if (current && again) {
      this.#settleCancel?.();
      this.#remote.hold();
    }
    this.#remote.detach(link);
    if (!current) return;
    if (again) {
      this.#ended();
      const { url, elsewhere } = this.#setup.dial!;
      const next = elsewhere?.next(this.#at!, why, this.#stop.signal);
      void this.#redial(next ?? { url }, describe(info));
    } else if (!this.#dialing) {
      // It is over once the session has withdrawn everything.
      void link.session.closed.then(() => this.#finish(info));
    }
  }

  #goaway(uri: string, link: Link): void {
    this.#options.ongoaway?.(uri);
    const { dial } = this.#setup;
    if (dial === undefined || link !== this.#link || this.#stop.signal.aborted) return;
    const policy = this.#policy;
    if (policy === "ignore") return;
    link.leaving = true;
    const lasted = this.#ended();
    this.#settleCancel?.();
    this.#remote.hold();
    const { elsewhere, url } = dial;
    const to = elsewhere?.asked(uri, this.#at!, policy, this.#stop.signal);
    void this.#move(to ?? goawayTarget(uri, url, policy), lasted);
  }

  /** @param fresh Whether the session lasted: who is sent on and on waits longer each time. */
  async #move(to: URL | Promise<URL>, fresh: boolean): Promise<void> {
    const url = await to;
    this.#log.info("the relay asks us to move", { to: shown(url) });
    if (this.#dialing) return;
    this.#tell({ state: "moving", url: shown(url) });
    void this.#redial({ url, fresh }, "the relay has asked us to go");
  }

  /** A session is over, or about to be. @returns Whether it lasted. */
  #ended(): boolean {
    const lasted = this.#backoff.ended(this.#clock.now() - this.#connectedAtMs);
    if (lasted) this.#setup.dial!.elsewhere?.lasted(this.#at!);
    return lasted;
  }

  /** Dials until a session is open, or until it gives up. Never rejects. */
  async #redial(first: Target | Promise<Target>, why: string): Promise<void> {
    if (this.#dialing) return;
    this.#dialing = true;
    const { url, elsewhere } = this.#setup.dial!;
    const { signal } = this.#stop;
    const reconnect = this.#reconnect;
    const giveUpMs = reconnect?.giveUpMs ?? Infinity;
    const sinceMs = this.#clock.now();
    let target = await first;
    let reason = why;
    for (;;) {
      const waitMs = target.fresh === true ? this.#backoff.shortest() : this.#backoff.next();
      const attempt = this.#backoff.attempts;
      if (this.#links.size === 0) this.#tell({ state: "reconnecting", reason, attempt, waitMs });
      await sleep(waitMs, signal, this.#clock);
      if (signal.aborted) break;
      try {
        await this.#open(target.url);
        break;
      } catch (error) {
        reason = reasonOf(error);
        target = await elsewhere?.next(target.url, error, signal) ?? { url };
        if (signal.aborted) break;
        const once = reconnect === undefined && this.#links.size === 0;
        const final = !reconnect?.evenRefused && isFinal(error);
        if (once || final || this.#clock.now() - sinceMs >= giveUpMs) {
          this.#stop.abort();
          break;
        }
        this.#log.debug("not connected", { to: shown(url), reason });
      }
    }
    this.#dialing = false;
    this.#changed.ring();
    if (this.#links.has(this.#link!)) return;
    if (signal.aborted || reconnect === undefined) {
      this.#finish({ code: 0, reason, abrupt: true });
    } else void this.#redial({ url }, "the new session ended at once");
  }

  /** The next session is open: subscriptions of the old one get some time to move. */
  #leave(old: Link): void {
    const endsAtMs = this.#clock.now() + HANDOVER_MS;
    const look = () => {
      if (!this.#links.has(old)) return;
      if (!old.idle && this.#clock.now() < endsAtMs) {
        this.#clock.after(HANDOVER_STEP_MS, look);
      } else old.session.close(0, "going away as asked");
    };
    this.#clock.after(HANDOVER_STEP_MS, look);
  }

  /** Broadcasts that were lost with the last session may come back for a while. */
  #settleLater(): void {
    this.#settleCancel?.();
    const graceMs = this.#reconnect?.graceMs ?? GRACE_MS;
    this.#settleCancel = this.#clock.after(graceMs, () => this.#remote.settle());
  }

  /** For good. Only the first call counts. */
  #finish(info: CloseInfo): void {
    this.#stop.abort();
    this.#settleCancel?.();
    this.#remote.settle();
    if (this.#status?.state === "closed") return;
    this.#unbind?.[Symbol.dispose]();
    this.#tell({ state: "closed", code: info.code, reason: describe(info) });
    this.#over.resolve(info);
  }

  #tell(status: ClientStatus): void {
    this.#status = status;
    this.#changed.ring();
    this.#setup.dial?.options.onstatus?.(status);
  }
}

/** Where an attempt goes. `fresh`: it waits no longer than a first one. */
interface Target {
  readonly url: URL;
  readonly fresh?: boolean;
}

/** How long broadcasts may take to come back, by default. */
const GRACE_MS = 10_000;
/** How long a group that was interrupted with its session waits for the next session. */
const RESUME_MS = 5000;

function reconnectOf({ dial }: Setup): ReconnectOptions | undefined {
  const reconnect = dial?.options.reconnect ?? false;
  return reconnect === true ? {} : reconnect === false ? undefined : reconnect;
}

/** What a GOAWAY does. A client that reconnects may go on elsewhere, if nothing else is said. */
function policyOf(setup: Setup): GoawayPolicy {
  const { goaway } = setup.dial?.options ?? {};
  return goaway ?? (reconnectOf(setup) === undefined ? "ignore" : "same-host");
}

/** Why a session ended, never empty. */
function describe({ code, reason, abrupt }: CloseInfo): string {
  if (reason !== "") return reason;
  if (abrupt) return "the connection was lost";
  return code === 0 ? "the session was closed" : `the session was closed with code ${code}`;
}
