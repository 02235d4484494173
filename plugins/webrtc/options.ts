/**
 * Options that WHEP and WHIP share: where peers are reached, and how many there may be.
 *
 * @module
 */
import { duration, integer, list, text } from "../../config/fields.ts";
import type { OptionProblem } from "../errors.ts";
import type { PeerPlace } from "./peer.ts";

const isAddress = (given: string) =>
  /^\d{1,3}(\.\d{1,3}){3}$/.test(given) || /^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(given);

export const PEERS = {
  addresses: list(
    "a list of IP addresses",
    isAddress,
    "Addresses told to browsers: those of this machine by default. Behind NAT the one they reach it by.",
  ),
  ports: text(
    'UDP ports for browsers, like "50000-50999": one for each session and address. any free one by default.',
    { byDefault: "any" },
  ),
  ice_servers: list(
    'a list of URLs like "stun:stun.example:3478"',
    (given) => /^(stun|stuns|turn|turns):[^\s<>"]+$/.test(given),
    "STUN and TURN servers that browsers are told of. The relay itself needs none.",
  ),
  max_sessions: integer(
    { min: 1, max: 10_000, byDefault: 100 },
    "Most sessions at a time; whoever comes then gets 503.",
  ),
  max_sessions_per_address: integer(
    { min: 1, max: 10_000, byDefault: 25 },
    "Most of them from one IPv4 address or one /64 of IPv6; whoever comes then gets 429. Behind a proxy all come from its address.",
  ),
  ice_timeout: duration(
    { min: "1s", max: "1m", byDefault: "5s" },
    "An offer whose browser has not been heard of by ICE for so long was made for nothing, and its place is free again.",
  ),
  timeout: duration(
    { min: "2s", max: "5m", byDefault: "15s" },
    "A browser that is not heard of for so long has gone.",
  ),
};

interface Place {
  readonly addresses: readonly string[];
  readonly ports: string;
}

interface Peers extends Place {
  readonly timeout: number;
  readonly iceTimeout: number;
}

/** What is wrong with the range of ports. */
export function placeProblems({ ports }: Place): OptionProblem[] {
  if (ports === "any" || rangeOf(ports) !== undefined) return [];
  return [{ path: ["ports"], message: `expected a range like "50000-50999", got "${ports}"` }];
}

/** The settings of each peer. */
export function peersOf(
  { addresses, ports, timeout, iceTimeout }: Peers,
): PeerPlace & { readonly timeoutMs: number; readonly iceTimeoutMs: number } {
  const range = rangeOf(ports);
  return {
    ...{ addresses, timeoutMs: timeout, iceTimeoutMs: iceTimeout },
    ...(range === undefined ? {} : { ports: range }),
  };
}

function rangeOf(ports: string): [number, number] | undefined {
  const [, from, to] = ports.match(/^(\d{1,5})-(\d{1,5})$/) ?? [];
  const [low, high] = [Number(from), Number(to)];
  return low >= 1 && high > low && high <= 65535 ? [low, high] : undefined;
}
