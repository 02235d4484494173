/**
 * One run: starts a relay, puts it under one shape with `qumo-relay bench`, and ends it.
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
  /** The load average of the last minute when the run began. */
  readonly loadAverage: number;
  readonly result: BenchResult;
}

export interface RunOptions {
  readonly round: number;
  readonly durationMs: number;
}

/** Viewers join one after another at this pace, so that handshakes are not what is measured. */
const MS_PER_VIEWER = 5;

/** @throws {Error} The generator could not measure. The message has its output. */
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
