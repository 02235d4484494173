/**
 * One run: starts a chain, puts a load through it with `qumo-relay bench`, and ends it.
 *
 * @module
 */
import type { BenchResult } from "../../load/figures/result.ts";
import { loadAverage } from "../peers/machine.ts";
import { MAIN } from "../peers/subjects.ts";
import type { ChainName, ChainSubject, Length } from "./chains.ts";

/** A few viewers of one track, for latency; or many tracks with one viewer each, so that each frame is forwarded once. */
export type Load = "latency" | "forwarding";

const LOADS: Readonly<Record<Load, readonly string[]>> = {
  latency: ["--viewers", "5", "--frame-size", "4000"],
  forwarding: ["--publishers", "40", "--viewers", "40", "--frame-size", "1200"],
};

export interface ChainRun {
  readonly subject: ChainName;
  readonly length: Length;
  readonly load: Load;
  readonly round: number;
  /** The load average of the last minute when the run began. */
  readonly loadAverage: number;
  readonly result: BenchResult;
}

/** @throws {Error} The generator could not measure. The message has its output. */
export async function runChain(
  subject: ChainSubject,
  { length, load, round, durationMs }: Pick<ChainRun, "length" | "load" | "round"> & {
    readonly durationMs: number;
  },
): Promise<ChainRun> {
  const average = loadAverage();
  await using chain = await subject.start(length);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", MAIN, "bench", chain.publishUrl, "--viewers-url", chain.viewUrl, "--json"],
      ...["--pid", `${chain.middlePid}`, "--version", "moq-lite-05", "--transport", "quic"],
      ...["--fps", "30", "--group-size", "30", "--ramp", "1s", "--duration", `${durationMs}ms`],
      ...LOADS[load],
    ],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (code !== 0) throw new Error(`${subject.name}, ${length}: ${decoder.decode(stderr)}`);
  const result: BenchResult = JSON.parse(decoder.decode(stdout));
  return { subject: subject.name, length, load, round, loadAverage: average, result };
}
