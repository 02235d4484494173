/** Sends back to each client what it publishes. `server.ts [PORT]` */
import {
  type BroadcastProducer,
  QumoError,
  serve,
  type ServerSession,
  type Subscription,
  type TrackProducer,
} from "../../client/mod.ts";
import { certificate, chosenPort, opened, print } from "../support.ts";

const pair = await certificate();
const server = await serve({ ...pair, port: chosenPort(), onsession });
opened(server, pair);

async function onsession(session: ServerSession): Promise<void> {
  print(`${session.remoteAddress} is here with ${session.version}`);
  const echoes = new Map<string, BroadcastProducer>();
  for await (const { path, active } of session.announced()) {
    echoes.get(path)?.close();
    if (active) echoes.set(path, echo(session, path));
  }
  print(`${session.remoteAddress} is gone`);
}

/** Publishes one broadcast back. Each track starts when somebody asks for it. */
function echo(session: ServerSession, path: string): BroadcastProducer {
  return session.publish(`echo/${path}`, {
    ontrack: async (name, broadcast) => {
      const info = await session.trackInfo(path, name); // throws where there is no such track
      void copy(session.subscribe(path, name), broadcast.track(name, info));
    },
  });
}

async function copy(from: Subscription, to: TrackProducer): Promise<void> {
  try {
    for await (const group of from) {
      using out = to.group(group.sequence);
      for await (const { payload, timestamp } of group) out.write(payload, timestamp);
    }
    to.close();
  } catch (error) {
    if (!(error instanceof QumoError)) throw error;
    to.abort(error.message); // the client is gone
  }
}
