/**
 * One link to another relay that we dial. It is dialed as long as it is wanted. Announcements go both ways.
 *
 * @module
 */
import { Backoff } from "../../../base/backoff.ts";
import { type Clock, systemClock } from "../../../base/clock.ts";
import { reasonOf } from "../../../base/errors.ts";
import type { Logger } from "../../../base/logger.ts";
import { sameHost } from "../../../base/same_host.ts";
import { masked } from "../../../base/masking.ts";
import { sleep } from "../../../base/sleep.ts";
import type { CloseInfo, Connection } from "../../../transport/connection.ts";
import type { Relay, RelaySession } from "../../relay.ts";
import type { LinkState, LinkView } from "../cluster_view.ts";

/** What another relay is to us. parent: an upstream relay. peer: another node of the cluster. */
export type LinkRole = LinkView["role"];

/** A relay that was dialed. */
export interface Dialed {
  readonly connection: Connection;
  /** The URL with the token that was shown. */
  readonly url: string;
}

export interface LinkOptions {
  readonly url: string;
  readonly role: LinkRole;
  /** What a route over it costs more. */
  readonly cost: number;
  readonly relay: Relay;
  /** Pauses between attempts, in milliseconds. It is asked before each one. */
  readonly backoff: () => { readonly minMs: number; readonly maxMs: number };
  readonly log: Logger;
  /** Dials one URL. */
  readonly dial: (url: string, signal: AbortSignal) => Promise<Dialed>;
  /** Called when it has become connected, or is so no more, and when the hop id of the other side is known. */
  readonly onChange?: () => void;
  /** Between 0 and 1, for the jitter. Default: random. */
  readonly random?: () => number;
  readonly clock?: Clock;
}

/** How long an old session stays open beside the new one after a GOAWAY, or when the cost has changed. */
const HANDOVER_MS = 10_000;
/** The same where the other side has dialed us too: its session is open, and tells what it has at once. */
const STANDBY_MS = 1_000;

/** What comes after a session. */
type Next = { readonly url?: string; readonly atOnce?: true };

export class Link {
  /** The URL without tokens. */
  readonly url: string;
  readonly role: LinkRole;
  state: LinkState = "connecting";
  /** When it came into this state, in milliseconds since 1970. */
  sinceMs: number;
  /** Attempts and successful ones since the start. */
  attempts = 0;
  connected = 0;
  lastError: string | undefined;
  /** The hop id that the other side told last. */
  hop: bigint | undefined;
  readonly #options: LinkOptions;
  readonly #stop = new AbortController();
  readonly #clock: Clock;
  #cost: number;
  #current: RelaySession | undefined;
  /** Why it stands by; `undefined` while it does not. */
  #standby: string | undefined;
  /** Ends what the link does now: it waits, or has a session. */
  #turn = Promise.withResolvers<Next>();

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#cost = options.cost;
    this.url = masked(options.url);
    this.role = options.role;
    this.sinceMs = this.#clock.wallMs();
  }

  /** The open session. */
  get session(): RelaySession | undefined {
    return this.#current;
  }

  get cost(): number {
    return this.#cost;
  }

  /** Changes the cost. A session with the old one goes on until one with the new one is open. */
  setCost(cost: number): void {
    if (cost === this.#cost) return;
    this.#cost = cost;
    if (this.#current !== undefined) this.#turn.resolve({ atOnce: true });
  }

  /**
   * Closes the session, as another one leads to the same relay, and dials no more until {@link goOn}.
   * @param why For the peer and for people.
   */
  standBy(why: string): void {
    if (this.#standby !== undefined) return;
    this.#standby = why;
    const session = this.#current;
    this.#current = undefined;
    if (session !== undefined) this.#leave(session, STANDBY_MS, why);
    this.#turn.resolve({});
    this.#stands("standby");
  }

  /** Ends {@link standBy}: it dials at once. */
  goOn(): void {
    if (this.#standby === undefined) return;
    this.#standby = undefined;
    this.#turn.resolve({});
  }

  /** Dials until {@link stop}. Never rejects. */
  async run(): Promise<void> {
    const { random, log } = this.#options;
    const { signal } = this.#stop;
    signal.addEventListener("abort", () => this.#turn.resolve({}));
    let backoff = new Backoff({ ...this.#options.backoff(), random });
    let url = this.#options.url;
    while (!signal.aborted) {
      this.#turn = Promise.withResolvers();
      if (this.#standby !== undefined) {
        this.#stands("standby");
        await this.#turn.promise;
        backoff = new Backoff({ ...this.#options.backoff(), random });
        url = this.#options.url;
        continue;
      }
      const startedMs = this.#clock.now();
      const { url: next, atOnce = false } = await this.#once(url);
      if (signal.aborted) break;
      if (this.#standby !== undefined) continue;
      url = next ?? this.#options.url;
      const held = backoff.ended(this.#clock.now() - startedMs);
      if (atOnce || (held && next !== undefined)) continue; // after a GOAWAY at once
      this.#stands("waiting");
      const waitMs = backoff.next();
      log.debug("dialing again soon", { ...this.#names, waitMs });
      this.#turn = Promise.withResolvers(); // the session's may be resolved
      const over = new AbortController();
      await Promise.race([sleep(waitMs, over.signal, this.#clock), this.#turn.promise]);
      over.abort();
    }
    this.#current = undefined;
    this.#stands("stopped");
  }

  /** Closes the link and dials no more. */
  stop(): void {
    this.#stop.abort();
  }

  get #names(): { readonly url: string; readonly role: LinkRole } {
    return { url: this.url, role: this.role };
  }

  /**
   * Runs one session, until it ends or something else is to be done. After a GOAWAY, or with a new cost, the session serves its
   * subscriptions until the next one is open.
   */
  async #once(url: string): Promise<Next> {
    const { relay, dial, log, role } = this.#options;
    const { signal } = this.#stop;
    this.#stands("connecting");
    this.attempts++;
    const turn = this.#turn;
    try {
      const { connection, url: shown } = await dial(url, signal);
      const close = () => connection.close(0, "shutting down");
      signal.addEventListener("abort", close);
      connection.closed.then(() => signal.removeEventListener("abort", close));
      if (signal.aborted) close();
      const { host, pathname, search } = new URL(shown);
      const raw = connection.kind === "quic";
      const cost = this.#cost;
      const link = await relay.join(connection, {
        ...(raw ? { path: pathname + search, authority: host } : {}),
        linkCost: cost,
        ...(role === "peer" ? { peer: true } : {}),
        onGoaway: (uri) => turn.resolve({ url: sameHost(uri, url) ? uri : url }),
      });
      if (this.#standby !== undefined) {
        link.session.close("none", this.#standby);
        return {};
      }
      const { version, closed, peerKnown } = link.session;
      const old = this.#current;
      this.#current = link;
      closed.then((info) => {
        if (this.#current !== link) return;
        this.#current = undefined;
        this.lastError = lossOf(info);
        log.warn("link lost", { ...this.#names, code: info.code, reason: info.reason });
        this.#stands("waiting");
      });
      if (old !== undefined) this.#leave(old, HANDOVER_MS, "going away as asked");
      this.connected++;
      this.lastError = undefined;
      log.info("linked", { ...this.#names, version });
      void peerKnown.then(() => {
        if (this.#current !== link) return;
        this.hop = link.session.peerHop || undefined;
        this.#options.onChange?.();
      });
      this.#stands("connected");
      if (cost !== this.#cost) return { atOnce: true };
      return await Promise.race([closed.then(() => ({})), turn.promise]);
    } catch (error) {
      this.lastError = masked(reasonOf(error));
      if (!signal.aborted) log.warn("not linked", { ...this.#names, reason: this.lastError });
      return {};
    }
  }

  /** While a session is open, the state stays "connected". */
  #stands(state: LinkState): void {
    const now = this.#current === undefined ? state : "connected";
    const before = this.state;
    if (now === before) return;
    this.state = now;
    this.sinceMs = this.#clock.wallMs();
    if (now === "connected" || before === "connected") this.#options.onChange?.();
  }

  /** Closes a session later: its subscriptions get some time to move to another one. */
  #leave(old: RelaySession, afterMs: number, why: string): void {
    const cancel = this.#clock.after(afterMs, () => old.session.close("none", why));
    old.session.closed.then(cancel);
  }
}

/** What is said of a session that has ended. The other side has chosen the reason. */
function lossOf({ code, reason, abrupt }: CloseInfo): string {
  const why = reason === "" ? "" : `: ${masked(reason)}`;
  return abrupt ? `the link was lost${why}` : `the other side closed it with code ${code}${why}`;
}
