/// <reference lib="dom" />

/**
 * Calls back evenly, even in a hidden tab, where a page's own timers fire once a second.
 *
 * @returns Ends it.
 */
export function ticker(everyMs: number, tick: () => void): () => void {
  const source = `setInterval(() => postMessage(0), ${everyMs})`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url);
  worker.onmessage = tick;
  return () => {
    worker.terminate();
    URL.revokeObjectURL(url);
  };
}
