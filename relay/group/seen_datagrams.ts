/** How many datagrams of a track are remembered. */
const REMEMBERED = 64;

/** The newest datagrams of a track: repeated ones are recognised. */
export class SeenDatagrams {
  /** In turn the group plus 1 and the object of each. */
  #seen: Float64Array | undefined;
  /** The largest location among all that came; -1 while there is none. */
  group = -1;
  object = -1;

  has(group: number, object: number): boolean {
    const seen = this.#seen;
    if (seen === undefined) return false;
    const at = placeOf(group, object);
    return seen[at] === group + 1 && seen[at + 1] === object;
  }

  add(group: number, object: number): void {
    const seen = this.#seen ??= new Float64Array(2 * REMEMBERED);
    const at = placeOf(group, object);
    seen[at] = group + 1;
    seen[at + 1] = object;
    if (group < this.group || (group === this.group && object < this.object)) return;
    this.group = group;
    this.object = object;
  }

  clear(): void {
    this.#seen = undefined;
    this.group = this.object = -1;
  }
}

function placeOf(group: number, object: number): number {
  return (group + object) % REMEMBERED * 2;
}
