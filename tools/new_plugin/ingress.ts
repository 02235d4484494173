/** Publishes a line of text again and again. */
import type { PluginKit } from "../../plugins/kit.ts";

export default ({ plugin, fields, sleep }: PluginKit) =>
  plugin({
    kind: "ingress",
    name: "template",
    summary: "Publishes a line of text again and again.",
    options: {
      broadcast: fields.text("The broadcast that is published.", { byDefault: "template" }),
      line: fields.text("What is published.", { byDefault: "hello" }),
      every: fields.duration({ min: "10ms", max: "1h", byDefault: "1s" }, "Time between frames."),
    },

    async run({ client, signal, stats }, { broadcast: path, line, every }) {
      using broadcast = client.publish(path);
      const track = broadcast.track("lines");
      while (!signal.aborted) {
        track.write(line); // a group of one frame
        stats.framesOut++;
        stats.bytesOut += line.length;
        await sleep(every, signal);
      }
    },
  });
