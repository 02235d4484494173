/**
 * A plugin in one file: publishes the time as text, a group for each minute and a frame for each second of it.
 *
 * It imports only types, and gets what it needs of the program as an argument. So it runs with the sources, the bundle and
 * the binary alike.
 *
 * @module
 */
import type { PluginKit } from "../../plugins/kit.ts";

export default ({ plugin, fields, sleep }: PluginKit) =>
  plugin({
    kind: "ingress",
    name: "clock",
    summary: "Publishes the time as text",
    options: {
      broadcast: fields.text("The broadcast that is published.", { byDefault: "clock" }),
      every: fields.duration({ min: "10ms", max: "1h", byDefault: "1s" }, "Time between frames."),
      frames_per_group: fields.integer(
        { min: 1, max: 1000, byDefault: 60 },
        "Frames in a group; who joins gets the current group from its beginning.",
      ),
    },

    async run({ client, clock, signal, stats, http }, { broadcast: path, every, framesPerGroup }) {
      const broadcast = client.publish(path);
      const track = broadcast.track("time");
      // The same over plain HTTP. The route ends with the instance.
      http.route(`/${path}/now`, () => new Response(`${time(clock.wallMs())}\n`));
      while (!signal.aborted) {
        const group = track.group();
        for (let n = 0; n < framesPerGroup && !signal.aborted; n++) {
          const frame = new TextEncoder().encode(time(clock.wallMs()));
          group.write(frame);
          stats.framesOut++;
          stats.bytesOut += frame.length;
          await sleep(every, signal);
        }
        group.close();
      }
      broadcast.close();
    },
  });

const time = (ms: number) => new Date(ms).toISOString();
