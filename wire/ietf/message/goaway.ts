/**
 * GOAWAY. Spec: draft-ietf-moq-transport-14 … -19, "GOAWAY".
 *
 * @module
 */
import { absent, type Field, MAX_URI_BYTES, type Message, uri, varint } from "../../message.ts";
import type { Profile } from "../profile.ts";
import { declare } from "./parts.ts";
import { capped } from "../integers.ts";

/** GOAWAY: go to `uri`; empty means come back to the same place. */
export interface Goaway {
  readonly uri: string;
  /** When the sender is going to end the session; 0 says nothing (17+). */
  readonly timeoutMs: number | undefined;
  /** The first request of the peer that was not looked at; only on the control stream (18). */
  readonly requestId: number | undefined;
}

/** At the end of a message, if there is something left. */
const lastVarint: Field<number | undefined> = {
  write: (w, v) => void (v !== undefined && w.varint(v)),
  read: (r) => r.left === 0 ? undefined : varint.read(r),
};
const none = absent<number | undefined>(undefined);
const timeout: Field<number | undefined> = {
  write: (w, v) => w.varint(v ?? 0),
  read: (r) => capped.read(r),
};

export function goaway(p: Profile): Message<Goaway> {
  return declare(p, "GOAWAY", {
    uri,
    timeoutMs: p.goaway === "nothing" ? none : timeout,
    requestId: p.goaway === "timeout and request" ? lastVarint : none,
  }, MAX_URI_BYTES + 32);
}
