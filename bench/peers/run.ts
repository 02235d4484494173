/**
 * One run: a relay is started, put under one shape by `qumo-relay bench`, and ended.
 *
 * @module
 */
import type { BenchResult } from "../../load/figures/result.ts";
import { loadAverage } from "./machine.ts";
import type { Shape } from "./shapes.ts";
import { MAIN, type Subject, type SubjectName } from "./subjects.ts";

export interface Run {
  readonly subject: SubjectName;
  readonly round: number;
  /** Of the last minute, when it began. */
  readonly loadAverage: number;
  readonly result: BenchResult;
}

export interface RunOptions {
  readonly round: number;
  readonly durationMs: number;
}

/** Viewers come at this pace: one after another, so that handshakes are not what is measured. */
const MS_PER_VIEWER = 5;

/** @throws {Error} The generator could not measure; with what it said. */
export async function runOnce(subject: Subject, shape: Shape, options: RunOptions): Promise<Run> {
  const load = loadAverage();
  await using running = await subject.start(shape);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", MAIN, "bench", running.url, "--json", "--pid", `${running.pid}`],
      ...["--version", "moq-lite-05", "--transport", shape.transport],
      ...["--viewers", `${shape.viewers}`, "--ramp", `${shape.viewers * MS_PER_VIEWER}ms`],
      ...["--duration", `${options.durationMs}ms`],
      ...(shape.idle ? ["--scenario", "idle"] : [
        ...["--fps", `${shape.fps}`, "--frame-size", `${shape.frameSize}`],
        ...["--group-size", `${shape.groupSize}`],
      ]),
      ...running.flags,
    ],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (code !== 0) throw new Error(`${subject.name}, ${shape.name}: ${decoder.decode(stderr)}`);
  const result: BenchResult = JSON.parse(decoder.decode(stdout));
  return { subject: subject.name, round: options.round, loadAverage: load, result };
}
