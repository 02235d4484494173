/// <reference lib="dom" />
import { useEffect, useRef, useState } from "preact/hooks";
import { BroadcastList } from "./broadcast_list.tsx";
import { browserProblem } from "./relay.ts";
import { NothingLive } from "./nothing_live.tsx";
import { PlayerBar } from "./player_bar.tsx";
import { RewindBar } from "./rewind_bar.tsx";
import { usePlayer } from "./use_player.ts";
import { LatencyGraph, PlayedLine, WatchDetails } from "./watch_details.tsx";
import { watchSaid } from "./watch_state.ts";
import type { ViewProps } from "./view_props.ts";

/** What is live, and a player for one of it. */
export function WatchView({ visible, route, go, announced }: ViewProps) {
  const live = announced.live ?? [];
  const played = useRef<string | undefined>(undefined);
  // What was asked for; else what plays goes on while it is live; else the first that is.
  const name = route.name ??
    (played.current !== undefined && live.includes(played.current) ? played.current : live[0]);
  const known = useRef(new Set<string>());
  for (const each of live) known.current.add(each);
  played.current = name;

  const place = useRef<HTMLDivElement>(null);
  const stage = useRef<HTMLElement>(null);
  const playing = usePlayer(place, name);
  const { snapshot, element } = playing;
  const [paused, setPaused] = useState(false);
  const [rewound, setRewound] = useState(false);
  useEffect(() => {
    // Nobody listens to a view that is not shown.
    if (element !== undefined) element.paused = paused || rewound || !visible;
  }, [element, paused, rewound, visible]);
  useEffect(() => {
    if (visible) document.title = name === undefined ? "qumo-relay" : `${name} · qumo-relay`;
  }, [visible, name]);

  const said = name === undefined ? undefined : watchSaid({
    browserProblem: browserProblem(),
    noPlayer: playing.failed,
    reachable: announced.reachable,
    name,
    announced: live.includes(name),
    wasAnnounced: known.current.has(name),
    player: snapshot && {
      ...snapshot,
      // Sound is not fetched while it is off.
      playing: snapshot.videoFrames > 0 ||
        snapshot.renditions.length === 0 && snapshot.audio !== undefined,
    },
    wasConnected: playing.wasConnected,
    unconnectedMs: playing.unconnectedMs,
  });
  const idle = name === undefined && announced.live !== undefined;
  return (
    <div class="columns">
      <div class="column">
        <section
          id="stage"
          class="card"
          aria-labelledby="now"
          hidden={name === undefined}
          ref={stage}
        >
          <div id="player" ref={place}>
            {said !== undefined && <p id="hint" role="status" data-kind={said.kind}>{said.text}</p>}
          </div>
          <PlayerBar {...playing} paused={paused} onPaused={setPaused} stage={stage} name={name} />
          <RewindBar {...playing} name={name} onRewound={setRewound} />
          <h2 id="now">{name}</h2>
          <PlayedLine {...playing} />
        </section>
        {idle && <NothingLive go={go} reachable={announced.reachable} />}
        {name !== undefined && <WatchDetails {...playing} />}
      </div>
      <div class="column">
        <BroadcastList
          live={announced.live}
          current={name}
          onChoose={(name) => go({ name, view: "watch" })}
        />
        {name !== undefined && <LatencyGraph {...playing} />}
      </div>
    </div>
  );
}
