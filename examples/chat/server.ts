/** The room: a relay that passes on what its guests say. `server.ts [PORT]` */
import { serve } from "../../client/mod.ts";
import { certificate, opened, PORT } from "../support.ts";

const pair = await certificate();
const room = await serve({ ...pair, port: Number(Deno.args[0] ?? PORT), relay: true });
opened(room, pair);
