/** The URLs of relays to link with, and what only we read of them. */
import { parseHash } from "../../../transport/certificate_hash.ts";

/** Highest price of a link. */
const MAX_COST = 1_000_000;

/** Takes `?cost=N` off a URL: the price of its link. What is no price stays. */
export function priced(text: string): { readonly url: string; readonly cost?: number } {
  const cost = new URL(text).searchParams.get("cost") ?? "";
  if (!/^\d{1,7}$/.test(cost) || Number(cost) > MAX_COST) return { url: text };
  return { url: without(text, "cost"), cost: Number(cost) };
}

/** Takes `?hash=…` off a URL: the SHA-256 of the one certificate that is accepted, whoever signed it. */
export function pinned(text: string): { readonly url: string; readonly hash?: Uint8Array } {
  const hash = parseHash(new URL(text).searchParams.get("hash") ?? "");
  return hash === undefined ? { url: text } : { url: without(text, "hash"), hash };
}

function without(text: string, name: string): string {
  const url = new URL(text);
  url.searchParams.delete(name);
  return url.href;
}
