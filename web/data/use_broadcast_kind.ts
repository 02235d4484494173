/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import type { BroadcastKind } from "./broadcast_kind.ts";
import type { BroadcastProbe } from "./broadcast_probe.ts";

/** A broadcast that the player cannot play, and a session to look into it. */
export interface Looked {
  readonly name: string;
  readonly probe: BroadcastProbe;
  readonly kind: BroadcastKind;
}

/** So long a player may take to find the catalog. */
const PATIENCE_MS = 2000;
/** The page looks again after this time: a catalog may come late. */
const AGAIN_MS = 10_000;

/**
 * Finds out what a broadcast is.
 *
 * @param doubtful The broadcast is live and the player finds nothing to play.
 * @returns `undefined` while it is unknown, and for media that the player plays.
 */
export function useBroadcastKind(name: string | undefined, doubtful: boolean): Looked | undefined {
  const [looked, setLooked] = useState<Looked>();
  useEffect(() => {
    if (name === undefined || !doubtful) return;
    let over = false;
    let probe: BroadcastProbe | undefined;
    let timer: ReturnType<typeof setTimeout>;
    const look = async () => {
      try {
        const { BroadcastProbe } = await import("./broadcast_probe.ts");
        if (over) return;
        probe ??= await BroadcastProbe.open(name);
        if (over) return probe.close();
        const kind = await probe.kind();
        if (over) return;
        setLooked(kind.kind === "media" ? undefined : { name, probe, kind });
      } catch { // No session: the view says so itself.
      }
      if (!over) timer = setTimeout(look, AGAIN_MS);
    };
    timer = setTimeout(look, PATIENCE_MS);
    return () => {
      over = true;
      clearTimeout(timer);
      probe?.close();
      setLooked(undefined);
    };
  }, [name, doubtful]);
  return looked?.name === name ? looked : undefined;
}
