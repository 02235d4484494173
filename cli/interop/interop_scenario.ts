/**
 * The interop scenario of gomoqt, from both sides: each publishes a broadcast with one track and one group of one frame,
 * and reads the other's.
 *
 * @module
 */
import { sleep } from "../../base/sleep.ts";
import {
  type Announcements,
  type BroadcastProducer,
  type Client,
  type CloseInfo,
  type GroupReader,
  NotFound,
  type ProbeReport,
  type Subscription,
} from "../../client/mod.ts";
import type { Step, StepResult } from "./interop_steps.ts";

export const SERVER_BROADCAST = "interop/server";
export const CLIENT_BROADCAST = "interop/client";
const TRACK = "";
const HELLO = "HELLO";
/** Where the server asks its client to go. Nobody goes there. */
const NEXT_URI = "https://next.example.com";

/** What to do where nothing is announced. */
const START_OTHER = "is `qumo-relay interop server` running there?";

/** The other end: dialed, or taken in. */
export interface InteropPeer {
  readonly version: string;
  readonly closed: Promise<CloseInfo>;
  readonly stats: Client["stats"];
  readonly publish: Client["publish"];
  readonly announced: (prefix: string) => Announcements;
  readonly subscribe: (path: string, track: string) => Subscription;
  readonly fetch: (path: string, track: string, group: number) => Promise<GroupReader>;
  readonly probe: () => Promise<ProbeReport | undefined>;
  /** Asks the peer to leave. Absent where we dialed: the peer is a relay or a server then. */
  readonly goaway?: (uri: string) => Promise<void>;
  /** Leaves once the peer has everything. Absent where the peer leaves. */
  readonly end?: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** What the steps of one side share. */
export interface Shared {
  /** Gets the session: by dialing, or by waiting for the peer. */
  readonly open: () => Promise<InteropPeer>;
  /** Fulfils with the URI when the peer has asked us to leave. */
  readonly gone?: Promise<string>;
  peer?: InteropPeer;
  /** Relays the peer's announcement came through. */
  relays?: number;
  subscription?: Subscription;
  group?: GroupReader;
  published?: BroadcastProducer;
}

const LITE = /^moq-lite-(\d+)$/;
/** First version of moq-lite that has each of these. moq-transport has all but PROBE. */
const SINCE = { FETCH: 3, PROBE: 3, GOAWAY: 4 } as const;

function missing(shared: Shared, message: keyof typeof SINCE): { skip: string } | undefined {
  const { version } = shared.peer!;
  const lite = LITE.exec(version);
  const has = lite === null ? message !== "PROBE" : Number(lite[1]) >= SINCE[message];
  return has ? undefined : { skip: `${version} has no ${message}` };
}

const CONNECT: Step<Shared> = {
  name: "connect",
  patient: true, // dialing has a time limit of its own, and says more when it is up
  async run(shared) {
    shared.peer = await shared.open();
    return shared.peer.version;
  },
};

/** Announces our broadcast; its one group is written when the peer asks for the track. */
function publish(name: string, path: string): Step<Shared> {
  return {
    name,
    needs: ["connect"],
    run(shared) {
      shared.published = shared.peer!.publish(path, {
        ontrack(track, broadcast) {
          if (track === TRACK) broadcast.track(track).write(HELLO);
        },
      });
      return `/${path}`;
    },
  };
}

function reading(path: string, patient: boolean): Step<Shared>[] {
  return [{
    name: "announcements",
    needs: ["connect"],
    patient,
    late: `nothing announces /${path}; ${START_OTHER}`,
    async run(shared) {
      for await (const { path: announced, active, hops } of shared.peer!.announced("/")) {
        if (!active || announced !== path) continue;
        shared.relays = Math.max(0, hops.length - 1);
        return `/${path}`;
      }
      throw new Error("the session ended");
    },
  }, {
    name: "subscribe",
    needs: ["announcements"],
    run: (shared) => void (shared.subscription = shared.peer!.subscribe(path, TRACK)),
  }, {
    name: "group",
    needs: ["subscribe"],
    async run(shared) {
      const group = await shared.subscription!.group();
      if (group === undefined) throw new Error("the track ended without a group");
      shared.group = group;
      return `sequence ${group.sequence}`;
    },
  }, {
    name: "frame",
    needs: ["group"],
    run: (shared) => hello(shared.group!),
  }];
}

async function hello(group: GroupReader): Promise<StepResult> {
  const frame = await group.frame();
  if (frame === undefined) throw new Error("the group ended without a frame");
  const text = new TextDecoder().decode(frame.payload);
  if (text !== HELLO) throw new Error(`expected ${HELLO}, got ${JSON.stringify(text)}`);
  return text;
}

const FETCH: Step<Shared> = {
  name: "fetch",
  needs: ["group"],
  async run(shared) {
    const none = missing(shared, "FETCH");
    if (none !== undefined) return none;
    const { peer, group } = shared;
    using fetched = await peer!.fetch(SERVER_BROADCAST, TRACK, group!.sequence);
    return await hello(fetched);
  },
};

const PROBE: Step<Shared> = {
  name: "probe",
  needs: ["connect"],
  async run(shared) {
    const none = missing(shared, "PROBE");
    if (none !== undefined) return none;
    try {
      const report = await shared.peer!.probe();
      const { bitrate = 0, rttMs = 0 } = report ?? {};
      const told = (value: number, unit: string) => value === 0 ? "unknown" : `${value} ${unit}`;
      return `bitrate ${told(bitrate, "bit/s")}, round trip ${told(rttMs, "ms")}`;
    } catch (error) {
      // A publisher that knows nothing of the path is free to refuse.
      if (error instanceof NotFound) return { skip: "the peer refuses PROBE, as it may" };
      throw error;
    }
  },
};

const SERVE: Step<Shared> = {
  name: "serve",
  needs: ["publish"],
  async run({ peer }) {
    let over = false;
    peer!.closed.then(() => over = true);
    // Counted when the group's stream has ended, so the peer gets it whole.
    while (peer!.stats.groupsOut === 0 && !over) {
      await sleep(10);
    }
    return HELLO;
  },
};

/** Leaves once the peer has all. */
async function leave({ peer, subscription, published }: Shared): Promise<void> {
  subscription?.close();
  published?.close();
  await peer!.end?.();
  await peer!.closed;
}

const CLOSE: Step<Shared> = { name: "close", needs: ["connect"], ends: true, run: leave };

/** What the client does. */
export const CLIENT_STEPS: readonly Step<Shared>[] = [
  CONNECT,
  ...reading(SERVER_BROADCAST, false),
  FETCH,
  PROBE,
  publish("publish", CLIENT_BROADCAST),
  SERVE,
  {
    name: "goaway",
    needs: ["announcements"],
    async run(shared) {
      const none = missing(shared, "GOAWAY");
      if (none !== undefined) return none;
      const { relays = 0, peer } = shared;
      // Hops are unknown there, so nobody can say whether GOAWAY will come.
      if (!LITE.test(peer!.version)) {
        return { skip: `${peer!.version} does not tell whether the server is behind a relay` };
      }
      // A relay stays when the server behind it leaves, and so do we.
      if (relays > 0) return { skip: `the server is behind ${relays} relay(s)` };
      return await shared.gone;
    },
  },
  CLOSE,
];

/** The steps of the server. It waits for its client without a limit. */
export const SERVER_STEPS: readonly Step<Shared>[] = [
  CONNECT,
  publish("publish", SERVER_BROADCAST),
  { ...SERVE, patient: true },
  ...reading(CLIENT_BROADCAST, true),
  PROBE,
  {
    name: "goaway",
    needs: ["connect"],
    async run(shared) {
      const none = missing(shared, "GOAWAY");
      if (none !== undefined) return none;
      const { goaway } = shared.peer!;
      if (goaway === undefined) return { skip: "the peer is a relay, which is to stay" };
      await goaway(NEXT_URI);
      return NEXT_URI;
    },
  },
  CLOSE,
];
