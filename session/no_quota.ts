import { newSessionHits } from "./limits.ts";
import type { Quota } from "./quota.ts";

/** For sessions without any limit. */
export const NO_QUOTA: Quota = {
  hits: newSessionHits(),
  maySend: true,
  mayAnnounce: () => true,
  maySubscribe: () => true,
  message() {},
  told() {},
  settled() {},
  sent() {},
  wait() {},
  leave() {},
  received() {},
  sweep: () => false,
  close() {},
};
