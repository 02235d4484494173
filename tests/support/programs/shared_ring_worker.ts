/**
 * A reader in another thread for `shared_ring_test.ts`: reads the newest group again and again, checks every byte it
 * accepts, and reports when it has read the last one.
 *
 * @module
 */
import { type SharedRingDescriptor, SharedRingReader } from "../../../relay/group/shared_ring.ts";

/** What the test posts: the ring and the sequence after which to stop; then arenas as they come. */
export type ToReader =
  | { readonly descriptor: SharedRingDescriptor; readonly last: number }
  | { readonly index: number; readonly memory: SharedArrayBuffer | undefined };

export interface ReaderReport {
  readonly acceptedBytes: number;
  readonly wrongBytes: number;
  readonly wholeGroups: number;
  readonly lagged: number;
}

/** The byte at `offset` of group `sequence`. */
export function byteAt(sequence: number, offset: number): number {
  return (sequence * 31 + offset * 7 + (offset >> 8)) & 0xff;
}

/** The size of group `sequence`. */
export function sizeOf(sequence: number): number {
  return 1 + (sequence * 7919) % 5000;
}

async function follow(reader: SharedRingReader, last: number): Promise<ReaderReport> {
  let [acceptedBytes, wrongBytes, wholeGroups, lagged] = [0, 0, 0, 0];
  let done = -1;
  while (done < last) {
    const changes = reader.changes;
    const group = reader.newest();
    if (group === undefined || group.sequence <= done) {
      await reader.wait(changes, 1000);
      continue;
    }
    for (let position = 0;;) {
      const seen = reader.changes;
      const read = reader.read(group, position);
      if (read === "no-arena") {
        await new Promise((resolve) => setTimeout(resolve, 1)); // lets the message in
        continue;
      }
      if (read === "lagged") {
        lagged++;
        break;
      }
      for (const [i, byte] of read.bytes.entries()) {
        if (byte !== byteAt(group.sequence, position + i)) wrongBytes++;
      }
      acceptedBytes += read.bytes.length;
      position += read.bytes.length;
      if (read.state !== "open") {
        if (read.state === "complete" && position === sizeOf(group.sequence)) wholeGroups++;
        else wrongBytes++;
        done = group.sequence;
        break;
      }
      if (read.bytes.length === 0) await reader.wait(seen, 1000);
    }
  }
  return { acceptedBytes, wrongBytes, wholeGroups, lagged };
}

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<ToReader>) => void) | null;
  postMessage(message: ReaderReport): void;
}

// The test imports the functions above: only in a worker there is somebody to post to.
if ("postMessage" in globalThis) {
  const scope = globalThis as unknown as WorkerScope;
  let reader: SharedRingReader;
  scope.onmessage = ({ data }) => {
    if ("index" in data) return reader.setArena(data.index, data.memory);
    reader = new SharedRingReader(data.descriptor);
    void follow(reader, data.last).then((report) => scope.postMessage(report));
  };
}
