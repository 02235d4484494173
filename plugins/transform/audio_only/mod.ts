/** Publishes the audio of a broadcast without its video. */
import { plugin } from "../../plugin.ts";
import { broadcastOptions, eachInput, nameProblems } from "../inputs.ts";
import { carryAll } from "../carry.ts";

export const audioOnly = plugin({
  kind: "transform",
  name: "audio-only",
  summary: "Publishes the sound of a broadcast without its picture, as it is.",
  options: broadcastOptions("{name}-audio"),
  check: nameProblems,
  run(ctx, options) {
    return eachInput(ctx, options, (job) =>
      carryAll(ctx, job, {
        choose: (renditions) => renditions.filter(({ kind }) => kind === "audio"),
        none: "it has no sound",
      }));
  },
});
