/// <reference lib="dom" />
import { useEffect, useRef, useState } from "preact/hooks";
import { inSentence } from "../../base/visible_text.ts";
import { BroadcastList } from "./broadcast_list.tsx";
import { needsSomebody } from "../connect/access.ts";
import { pageAccess } from "../connect/page_access.ts";
import { browserProblem } from "../connect/browser_problem.ts";
import { DataView } from "../data/data_view.tsx";
import { Name } from "../parts/name.tsx";
import { relaySaid } from "../connect/relay_said.ts";
import { NothingLive } from "./nothing_live.tsx";
import { PlayerBar } from "./player_bar.tsx";
import { RewindBar } from "./rewind/rewind_bar.tsx";
import { useBroadcastKind } from "../data/use_broadcast_kind.ts";
import { usePlayer } from "./use_player.ts";
import { LatencyGraph, PlayedLine, WatchDetails } from "./watch_details.tsx";
import { watchSaid } from "./watch_state.ts";
import type { ViewProps } from "../parts/view_props.ts";

/** What is live, and a player for one of it. */
export function WatchView({ visible, route, go, announced }: ViewProps) {
  const live = announced.live ?? [];
  const played = useRef<string | undefined>(undefined);
  // The broadcast that was asked for; else the one that plays, while it is live; else the first live one.
  const name = route.name ??
    (played.current !== undefined && live.includes(played.current) ? played.current : live[0]);
  const known = useRef(new Set<string>());
  for (const each of live) known.current.add(each);
  played.current = name;

  const place = useRef<HTMLDivElement>(null);
  const stage = useRef<HTMLElement>(null);
  const relay = announced.state === "asking"
    ? undefined
    : relaySaid(announced.state, pageAccess().root);
  const refused = announced.state !== "asking" && needsSomebody(announced.state);
  const playing = usePlayer(place, name, announced.state !== "asking" && !refused);
  const { snapshot, element } = playing;
  const [paused, setPaused] = useState(false);
  const [rewound, setRewound] = useState(false);
  useEffect(() => {
    // A hidden view plays no sound.
    if (element !== undefined) element.paused = paused || rewound || !visible;
  }, [element, paused, rewound, visible]);
  useEffect(() => {
    if (visible) {
      document.title = name === undefined ? "qumo-relay" : `${inSentence(name)} · qumo-relay`;
    }
  }, [visible, name]);

  const looked = useBroadcastKind(
    name,
    name !== undefined && live.includes(name) && snapshot?.link === "connected" &&
      !snapshot.unsupported && snapshot.video === undefined && snapshot.audio === undefined &&
      snapshot.renditions.length === 0,
  );

  const said = name === undefined ? undefined : watchSaid({
    browserProblem: browserProblem(),
    noPlayer: playing.failed,
    relay,
    name,
    announced: live.includes(name),
    wasAnnounced: known.current.has(name),
    player: snapshot && {
      ...snapshot,
      // Sound is not fetched while it is off.
      playing: snapshot.videoFrames > 0 ||
        snapshot.renditions.length === 0 && snapshot.audio !== undefined,
    },
    shownAsData: looked !== undefined,
    wasConnected: playing.wasConnected,
    unconnectedMs: playing.unconnectedMs,
  });
  // The page says above why it is not let in.
  const idle = name === undefined && !refused &&
    (announced.live !== undefined || relay !== undefined);
  return (
    <div class="columns watch" hidden={refused}>
      <div class="column first">
        <section
          id="stage"
          class="card"
          aria-labelledby="now"
          hidden={name === undefined}
          data-kind={looked?.kind.kind}
          ref={stage}
        >
          <div id="player" ref={place}>
            {said !== undefined && <p id="hint" role="status" data-kind={said.kind}>{said.text}</p>}
          </div>
          <PlayerBar {...playing} paused={paused} onPaused={setPaused} stage={stage} name={name} />
          <RewindBar {...playing} name={name} onRewound={setRewound} />
          <h2 id="now">{name !== undefined && <Name of={name} />}</h2>
          <PlayedLine {...playing} />
        </section>
        {looked !== undefined && <DataView key={looked.name} {...looked} />}
        {idle && <NothingLive go={go} state={announced.state} />}
      </div>
      <div class="column side">
        <BroadcastList
          live={announced.live}
          fresh={relay === undefined}
          current={name}
          onChoose={(name) => {
            go({ name, view: "watch" });
            showWhole(stage.current);
          }}
        />
        {name !== undefined && looked === undefined && <LatencyGraph {...playing} />}
      </div>
      {name !== undefined && (
        <div class="column more">
          <WatchDetails {...playing} />
        </div>
      )}
    </div>
  );
}

/** After a choice at the end of a long list, the page scrolls up to the player. */
function showWhole(element: HTMLElement | null): void {
  if (element === null) return;
  const { top, bottom } = element.getBoundingClientRect();
  if (top >= 0 && bottom <= innerHeight) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  element.scrollIntoView({ block: "start", behavior: still ? "auto" : "smooth" });
}
