import { Reader, Writer } from "../cursor.ts";

/** Setting identifiers of HTTP/3, its datagrams, and every WebTransport draft in use. */
export const Setting = {
  qpackMaxTableCapacity: 0x01,
  qpackBlockedStreams: 0x07,
  extendedConnect: 0x08,
  datagram: 0x33,
  datagramDraft: 0xffd277,
  webTransportDraft02: 0x2b603742,
  maxSessionsDraft02: 0x2b603743,
  maxSessionsDraft07: 0xc671706a,
  maxSessionsDraft13: 0x14e9cd29,
  webTransportDraft15: 0x2c7cf000,
  initialMaxData: 0x2b61,
  initialMaxStreamsUni: 0x2b64,
  initialMaxStreamsBidi: 0x2b65,
} as const;

/** How many bytes and streams of each kind a peer may send in a session before they are read. */
export interface FlowWindow {
  readonly data: number;
  readonly uni: number;
  readonly bidi: number;
}

/** No limit in practice, because QUIC's own limits apply. */
export const FLOW_WINDOW: FlowWindow = { data: 2 ** 52, uni: 2 ** 32, bidi: 2 ** 32 };

/** The settings that both our client and our server send. They are those of every draft together. */
export function webTransportSettings(
  maxSessions: number,
  window: FlowWindow = FLOW_WINDOW,
): ReadonlyMap<number, number> {
  return new Map([
    [Setting.qpackMaxTableCapacity, 0],
    [Setting.qpackBlockedStreams, 0],
    [Setting.extendedConnect, 1],
    [Setting.datagram, 1],
    [Setting.datagramDraft, 1],
    [Setting.webTransportDraft02, 1],
    [Setting.maxSessionsDraft02, maxSessions],
    [Setting.maxSessionsDraft07, maxSessions],
    [Setting.maxSessionsDraft13, maxSessions],
    [Setting.webTransportDraft15, 1],
    [Setting.initialMaxData, window.data],
    [Setting.initialMaxStreamsUni, window.uni],
    [Setting.initialMaxStreamsBidi, window.bidi],
  ]);
}

/** Whether the peer accepts WebTransport sessions of any draft. */
export function offersWebTransport(settings: ReadonlyMap<number, number>): boolean {
  return [
    Setting.webTransportDraft02,
    Setting.maxSessionsDraft02,
    Setting.maxSessionsDraft07,
    Setting.maxSessionsDraft13,
    Setting.webTransportDraft15,
  ].some((id) => (settings.get(id) ?? 0) > 0);
}

/** The payload of a SETTINGS frame (RFC 9114 §7.2.4). */
export function encodeSettings(settings: ReadonlyMap<number, number>): Uint8Array {
  const w = new Writer();
  for (const [id, value] of settings) {
    w.varint(id);
    w.varint(value);
  }
  return w.done().slice();
}

/** Reads the payload of a SETTINGS frame. A setting whose id or value is above 2^53-1 is GREASE and left out. @throws {ProtocolViolation} */
export function decodeSettings(payload: Uint8Array): Map<number, number> {
  const r = new Reader(payload, "SETTINGS");
  const settings = new Map<number, number>();
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  while (r.left > 0) {
    const id = r.bigVarint();
    const value = r.bigVarint();
    if (id > most || value > most) continue;
    if (id >= 0x02n && id <= 0x05n) throw r.fail(`setting ${id} belongs to HTTP/2`);
    if (settings.has(Number(id))) throw r.fail(`setting ${id} twice`);
    settings.set(Number(id), Number(value));
  }
  return settings;
}
