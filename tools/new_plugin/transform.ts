/** Publishes the lines of a broadcast in capitals. */
import type { PluginKit } from "../../plugins/kit.ts";

export default ({ plugin, fields }: PluginKit) =>
  plugin({
    kind: "transform",
    name: "template",
    summary: "Publishes the lines of a broadcast in capitals.",
    options: {
      input: fields.text("The broadcast that is read.", { byDefault: "cam" }),
      output: fields.text("The broadcast that is published.", { byDefault: "template" }),
    },
    check: ({ input, output }) =>
      input === output ? [{ path: ["output"], message: "expected another name than `input`" }] : [],

    async run({ client, signal, stats }, { input, output }) {
      using broadcast = client.publish(output);
      const track = broadcast.track("lines");
      // Waits for the broadcast. The loop ends with the track, and `run` has finished then.
      for await (const group of client.subscribe(input, "lines", { signal })) {
        for await (const { payload } of group) {
          const line = new TextDecoder().decode(payload).toUpperCase();
          track.write(line);
          stats.framesIn++;
          stats.bytesIn += payload.length;
          stats.framesOut++;
          stats.bytesOut += line.length;
        }
      }
    },
  });
