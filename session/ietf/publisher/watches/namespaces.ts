/**
 * SUBSCRIBE_NAMESPACE of the peer: it hears of the namespaces below a prefix. From draft 16 on by NAMESPACE on the stream of
 * its request, before by requests of our own. A server hears of everything, as it does not ask. Spec: draft-ietf-moq-transport-18, "SUBSCRIBE_NAMESPACE"; -14.
 *
 * @module
 */
import type { AnnounceEvent } from "../../../../relay/origin.ts";
import {
  MAX_FULL_NAME_BYTES,
  MAX_NAMESPACE_FIELDS,
  type Namespace,
} from "../../../../wire/ietf/names.ts";
import type { Profile } from "../../../../wire/ietf/profile.ts";
import { joinPath } from "../../../../wire/path.ts";
import { Untaken } from "../../../send/untaken.ts";
import type { Exchange } from "../../exchange.ts";
import type { Granted } from "../../request_rights.ts";
import { namespaceOf, pathOf } from "../../names.ts";
import type { Serving } from "../serving.ts";
import { nextOf } from "../updates.ts";

/** Most requests of our own that wait for the peer's leave. */
const MAX_WAITING = 64;

/** How news of one path get to the peer. */
interface Teller {
  /** Whether it takes more now. Otherwise it calls back when it does. */
  ready(then: () => void): boolean;
  there(suffix: string, namespace: Namespace): void;
  gone(suffix: string, namespace: Namespace): void;
  close(): void;
}

/** Tells of namespaces below a prefix until it is closed. @returns What closes it. */
export function tellNamespaces(
  serving: Serving,
  exchange: Exchange,
  prefix: Namespace,
  by: Granted | undefined,
): () => void {
  const teller = serving.context.dialect.has("namespace")
    ? new OnItsStream(exchange, prefix.length)
    : new ByRequests(serving);
  return tell(serving, prefix, teller, by);
}

/** Announces everything to a server that we have dialed. It has not asked. @returns What closes it. */
export function announceNamespaces(serving: Serving): () => void {
  return tell(serving, [], new ByRequests(serving));
}

function tell(
  serving: Serving,
  prefix: Namespace,
  teller: Teller,
  by?: Granted,
): () => void {
  const { root, peerHop, quota, profile } = serving.context;
  const { serve } = by ?? serving.context;
  let begun = false;
  let first = 0;
  const told = new Set<string>();
  const heard = ({ kind, suffix }: AnnounceEvent) => {
    const namespace = [...prefix, ...namespaceOf(suffix)];
    if (!isSayable(namespace, profile)) return;
    if (!begun) first++;
    if (kind === "ended") {
      if (told.delete(suffix)) teller.gone(suffix, namespace);
    } else if (!told.has(suffix)) {
      told.add(suffix);
      teller.there(suffix, namespace);
    }
  };
  const watch = serve?.watch({
    prefix: joinPath(root, pathOf(prefix)),
    excludeHop: peerHop,
    except: serving.self,
    whole: true,
    merged: true,
    ready: () => teller.ready(() => watch?.catchUp()),
  }, heard);
  if (watch !== undefined) serving.watches.add(watch);
  begun = true;
  quota.told(first);
  return () => {
    if (watch !== undefined) serving.watches.delete(watch);
    watch?.close();
    teller.close();
  };
}

/** Whether a draft can name this namespace, and in it a track whose name has so many bytes. */
export function isSayable(namespace: Namespace, profile: Profile, trackBytes = 0): boolean {
  if (namespace.length > MAX_NAMESPACE_FIELDS || namespace.length < profile.minNamespaceFields) {
    return false;
  }
  if (!profile.emptyFields && namespace.some((field) => field.length === 0)) return false;
  const bytes = namespace.reduce((sum, field) => sum + field.length, trackBytes);
  return bytes <= MAX_FULL_NAME_BYTES;
}

/** NAMESPACE and NAMESPACE_DONE (16+). */
class OnItsStream implements Teller {
  readonly #untaken: Untaken;

  constructor(readonly exchange: Exchange, readonly prefixFields: number) {
    this.#untaken = new Untaken(exchange.out);
  }

  ready(then: () => void): boolean {
    return this.#untaken.ready(then);
  }

  there(path: string, namespace: Namespace): void {
    this.#untaken.add(path.length);
    this.exchange.send("namespace", { suffix: namespace.slice(this.prefixFields) });
  }

  gone(path: string, namespace: Namespace): void {
    this.#untaken.add(path.length);
    this.exchange.send("namespaceDone", { suffix: namespace.slice(this.prefixFields) });
  }

  close(): void {
    this.exchange.finish();
  }
}

/** PUBLISH_NAMESPACE and PUBLISH_NAMESPACE_DONE, as requests of our own: up to 15, and to a server. */
class ByRequests implements Teller {
  readonly #open = new Map<string, { cancel(): void }>();
  #waiting = 0;
  #then: (() => void) | undefined;

  constructor(readonly serving: Serving) {}

  ready(then: () => void): boolean {
    if (this.#waiting < MAX_WAITING) return true;
    this.#then = then;
    return false;
  }

  there(path: string, namespace: Namespace): void {
    let exchange: Exchange | undefined;
    let over = false;
    const one = {
      cancel: () => {
        over = true;
        exchange?.cancel();
      },
    };
    this.#open.set(path, one);
    const { exchanges, context } = this.serving;
    const announce = async () => {
      try {
        exchange = await this.#granted(
          exchanges.open("publishNamespace", { namespace, parameters: {} }),
        );
        if (over) return exchange.cancel();
        // Until the peer refuses it, or cancels it.
        for (;;) {
          const said = await nextOf(exchange);
          if (said === undefined || said.kind !== "requestOk") return;
        }
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        context.log.debug("namespace not announced", { reason: error.message });
      } finally {
        if (this.#open.get(path) === one) this.#open.delete(path);
      }
    };
    context.spawn(announce());
  }

  gone(path: string): void {
    this.#open.get(path)?.cancel();
    this.#open.delete(path);
  }

  close(): void {
    for (const one of this.#open.values()) one.cancel();
    this.#open.clear();
  }

  async #granted(opening: Promise<Exchange>): Promise<Exchange> {
    this.#waiting++;
    try {
      return await opening;
    } finally {
      this.#waiting--;
      const then = this.#then;
      this.#then = undefined;
      then?.();
    }
  }
}
