/// <reference lib="dom" />
/** What the page remembers between visits. It also works in a browser that keeps nothing. */

const PREFIX = "qumo.";

/** A choice made before, or the fallback when there is none of the same type. */
export function recall<T extends string | number | boolean>(name: string, fallback: T): T {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(PREFIX + name) ?? "null");
    return typeof kept === typeof fallback ? kept as T : fallback;
  } catch {
    return fallback;
  }
}

export function remember(name: string, value: string | number | boolean): void {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch { // Private window, or storage is full.
  }
}
