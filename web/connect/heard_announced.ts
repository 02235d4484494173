/** What is live, as the player's session hears it: at once, without a question. */
interface AnnounceEvent {
  readonly path: string;
  readonly active: boolean;
}

/** The announcements of a connection that dials again by itself. Each loss takes all of them back. */
export interface AnnounceSource {
  announced(): { next(): Promise<AnnounceEvent | undefined> };
}

/** The first announcements of a session come in a burst. The list waits for all of it. */
const SETTLE_MS = 300;

/**
 * Collects announcements for as long as their source lasts.
 *
 * @param tell Gets the sorted names when they change; `undefined` while there are none. Then nothing is live, or the session
 * does not announce.
 */
export function collectAnnounced(
  source: AnnounceSource,
  tell: (live: readonly string[] | undefined) => void,
  later: (run: () => void, ms: number) => unknown = setTimeout,
): void {
  const stream = source.announced();
  const live = new Set<string>();
  let due = false;
  const settle = () => {
    due = false;
    tell(live.size === 0 ? undefined : [...live].sort());
  };
  const read = async () => {
    for (let event; (event = await stream.next()) !== undefined;) {
      const { path, active } = event;
      if (path === "") continue;
      if (active) live.add(path);
      else live.delete(path);
      if (!due) later(settle, SETTLE_MS);
      due = true;
    }
  };
  // A session that is lost for good announces nothing any more.
  read().catch(() => {}).finally(() => {
    live.clear();
    settle();
  });
}

let heard: readonly string[] | undefined;
const listeners = new Set<(live: readonly string[] | undefined) => void>();

/** Hears what a connection announces, for every view of the page. */
export function hear(source: AnnounceSource): void {
  collectAnnounced(source, (live) => {
    heard = live;
    for (const listener of listeners) listener(live);
  });
}

/** Names of live broadcasts as a session has told them; `undefined` while none does. */
export const heardLive = () => heard;

/** Calls back with what is heard now. @returns Ends that. */
export function onHeard(listener: (live: readonly string[] | undefined) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
