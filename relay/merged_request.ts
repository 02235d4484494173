import type { TrackRequest } from "./reading.ts";

/** Has a request that may change. */
export interface Requester {
  readonly request: TrackRequest;
}

/**
 * What all of them want together. Those that want no groups now count only if nobody wants any. Bounds by object are those of
 * one alone: for several, who sends cuts.
 */
export function mergedRequest(all: ReadonlyMap<unknown, Requester>): TrackRequest {
  let priority = 0;
  let maxLatencyMs = 0;
  let start: number | undefined = Infinity;
  let end: number | undefined = -1;
  let startIsFloor = true;
  let forward = false;
  for (const { request } of all.values()) {
    forward = request.forward !== false;
    if (forward) break;
  }
  for (const { request } of all.values()) {
    if (forward && request.forward === false) continue;
    priority = Math.max(priority, request.priority);
    maxLatencyMs = Math.max(maxLatencyMs, request.maxLatencyMs);
    if (request.startGroup !== undefined) {
      start = Math.min(start, request.startGroup);
      startIsFloor &&= request.startIsFloor === true;
    }
    if (request.endGroup === undefined) end = undefined;
    else if (end !== undefined) end = Math.max(end, request.endGroup);
  }
  if (start === Infinity) start = undefined;
  if (end === -1) end = undefined;
  startIsFloor &&= start !== undefined;
  const merged = { priority, maxLatencyMs, startGroup: start, endGroup: end, startIsFloor };
  const [alone] = all.size === 1 ? all.values() : [];
  return { ...merged, ...(all.size > 0 && !forward && { forward }), ...objectBounds(alone) };
}

function objectBounds(alone: Requester | undefined): Partial<TrackRequest> {
  const { startObject, endObject } = alone?.request ?? {};
  return {
    ...(startObject !== undefined && { startObject }),
    ...(endObject !== undefined && { endObject }),
  };
}
