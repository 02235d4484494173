/** Hands the newest line of a broadcast on by HTTP. */
import type { PluginKit } from "../../plugins/kit.ts";

export default ({ plugin, fields }: PluginKit) =>
  plugin({
    kind: "egress",
    name: "template",
    summary: "Hands the newest line of a broadcast on by HTTP.",
    options: {
      broadcast: fields.text("The broadcast that is read.", { byDefault: "cam" }),
      path: fields.text("Where its newest line is.", { byDefault: "/template" }),
    },

    async run({ client, http, mayRead, signal, stats }, { broadcast, path }) {
      let newest = "";
      // The route goes when the instance ends.
      http.route(
        path,
        async (request) =>
          await mayRead(request, broadcast)
            ? new Response(newest)
            : new Response("forbidden\n", { status: 403 }),
      );
      // Waits for the broadcast. The loop ends with the track, and `run` has finished then.
      for await (const group of client.subscribe(broadcast, "lines", { signal })) {
        for await (const { payload } of group) {
          newest = new TextDecoder().decode(payload);
          stats.framesIn++;
          stats.bytesIn += payload.length;
        }
      }
    },
  });
