import { table } from "../peers/document.ts";
import type { Machine } from "../peers/machine.ts";
import { type ClientsResult, MAX_LATENCY_MS } from "./clients.ts";
import { INPUT } from "./fixture.ts";
import type { IngressResult } from "./ingress.ts";
import type { TransformResult } from "./transforms.ts";
import { type Marks, withPart } from "../../tools/docs/marked_part.ts";

export interface StorageResult {
  readonly name: string;
  readonly appendFramesPerSecond: number;
  readonly readFramesPerSecond: number;
}

/** What one run of `deno task bench:media` has measured. */
export interface MediaResult {
  readonly date: string;
  readonly machine: Machine;
  /** When each part began. */
  readonly loadAverage: { readonly min: number; readonly max: number };
  readonly ffmpeg: string;
  readonly ingress: IngressResult;
  readonly storage: readonly StorageResult[];
  readonly transforms: readonly TransformResult[];
  readonly clients: readonly ClientsResult[];
}

const MARKS: Marks = {
  begin: "<!-- made by `deno task bench:media`: do not edit -->",
  end: "<!-- end of what bench:media makes -->",
};

/** Puts the tables between the markers of a document. @throws {Error} There are none in it. */
export function withMediaResults(document: string, result: MediaResult): string {
  return withPart(document, MARKS, tables(result));
}

function tables({ date, machine, loadAverage, ffmpeg, ...result }: MediaResult): string {
  const { cpu, cores, memoryGb, deno } = machine;
  const { ingress, storage, transforms, clients } = result;
  return [
    `Measured on ${date}: ${cpu}, ${cores} cores, ${memoryGb} GB, Deno ${deno}, ${ffmpeg}; load ` +
    `average at the beginning of a part between ${loadAverage.min} and ${loadAverage.max}, so others ` +
    `took part of the cores. Media is ${INPUT}.`,
    `Ingress, fragmented MP4 read and published: **${number(ingress.framesPerSecond)} frames/s** ` +
    `(${ingress.megabytesPerSecond} MB/s, ${ingress.cpuUsPerFrame} µs of CPU a frame).`,
    "Storage, frames of 4,000 B, 100 appended at once, groups of 60 read:",
    table(
      ["storage", "written, frames/s", "read, frames/s"],
      storage.map((one) => [
        one.name,
        number(one.appendFramesPerSecond),
        number(one.readFramesPerSecond),
      ]),
    ),
    "Transforms of a live broadcast; CPU is the plugin's with its ffmpeg, for each frame that comes in, " +
    "sound included:",
    table(
      ["transform", "latency p50 / p99, ms", "CPU, ms a frame", "frames in", "out", "skipped"],
      transforms.map((one) => [
        one.name,
        `${one.latencyP50Ms} / ${one.latencyP99Ms}`,
        `${one.cpuMsPerFrame}`,
        ...[one.framesIn, one.framesOut, one.skipped].map(number),
      ]),
    ),
    `Concurrent clients: viewers of one track at 30/s × 1,200 B over QUIC, more until one cannot ` +
    `connect or p99 is above ${MAX_LATENCY_MS} ms (a step that fails is tried again while two minutes last); the generator takes cores of the same machine. ` +
    `Held: **${number(clients.findLast(({ held }) => held)?.viewers ?? 0)}**.`,
    table(
      ["viewers", "there", "failed", "p50 / p99, ms", "relay's CPU", "all cores"],
      clients.map((one) => [
        ...[one.viewers, one.up, one.failed].map(number),
        `${one.latencyP50Ms} / ${one.latencyP99Ms}`,
        `${one.relayCpuPercent ?? "–"} %`,
        `${one.machineBusyPercent ?? "–"} %`,
      ]),
    ),
  ].join("\n\n");
}

const number = (value: number) => value.toLocaleString("en-US");
