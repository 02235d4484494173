/**
 * A plugin in one file: publishes the time as text, a group for each minute and a frame for each second of it.
 *
 * It imports types alone, so it runs beside the sources, the bundle and the binary alike: what it needs of the program is
 * handed to it.
 *
 * @module
 */
import type { PluginKit } from "../../plugins/kit.ts";
import type { Plugin, PluginDefinition } from "../../plugins/plugin.ts";

export default function clock({ options, fields }: PluginKit): PluginDefinition {
  const clockOptions = options({
    broadcast: fields.text("The broadcast that is published.", { byDefault: "clock" }),
    every: fields.duration({ min: "10ms", max: "1h", byDefault: "1s" }, "Time between frames."),
    frames_per_group: fields.integer(
      { min: 1, max: 1000, byDefault: 60 },
      "Frames in a group; who joins gets the current group from its beginning.",
    ),
  });

  return {
    kind: "ingress",
    name: "clock",
    summary: "Publishes the time as text",
    options: clockOptions,
    create(): Plugin {
      let settings = clockOptions.read({});
      return {
        initialize(_ctx, given) {
          settings = clockOptions.read(given);
        },

        async run({ client, clock, signal, stats, http }) {
          const broadcast = client.publish(settings.broadcast);
          const track = broadcast.track("time");
          // Plain HTTP for who has nothing better; the route goes when the instance ends.
          http.route(`/${settings.broadcast}/now`, () => new Response(`${time(clock.wallMs())}\n`));
          while (!signal.aborted) {
            const group = track.group();
            for (let n = 0; n < settings.framesPerGroup && !signal.aborted; n++) {
              const frame = new TextEncoder().encode(time(clock.wallMs()));
              group.write(frame);
              stats.framesOut++;
              stats.bytesOut += frame.length;
              await pause(settings.every, signal);
            }
            group.close();
          }
          broadcast.close();
        },

        stop() {}, // `run` leaves nothing open
      };
    },
  };
}

const time = (ms: number) => new Date(ms).toISOString();

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    if (signal.aborted) over();
    else signal.addEventListener("abort", over);
  });
}
