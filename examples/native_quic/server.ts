/** Greets every client that comes over raw QUIC, without HTTP/3. `server.ts [PORT]` */
import { serve, TrackMux } from "../../client/mod.ts";
import { certificate, chosenPort, opened, print } from "../support.ts";

const mux = new TrackMux();
mux.handle("greeting/*", ({ wildcards: [name], track }, producer) => {
  print(`${name} reads ${track}`);
  producer.write(`Hello, ${name}!`);
  producer.close();
});

const pair = await certificate();
const server = await serve({ ...pair, port: chosenPort(), mux });
opened(server, pair);
