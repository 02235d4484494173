/** The room: a relay that passes on what its guests say. `server.ts [PORT]` */
import { serve } from "../../client/mod.ts";
import { certificate, chosenPort, opened } from "../support.ts";

const pair = await certificate();
const room = await serve({ ...pair, port: chosenPort(), relay: true });
opened(room, pair);
