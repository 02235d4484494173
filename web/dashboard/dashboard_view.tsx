/// <reference lib="dom" />
import { TokenField } from "../parts/token_field.tsx";
import { useEffect, useState } from "preact/hooks";
import {
  type AdminPlace,
  AdminRefused,
  adminToken,
  ask,
  findAdmin,
  TokenNeeded,
} from "./admin_api.ts";
import { CopyButton } from "../parts/copy_button.tsx";
import { BroadcastWay } from "./cluster/broadcast_way.tsx";
import { ClusterTables } from "./cluster/cluster_tables.tsx";
import { DashboardGraphs } from "./dashboard_graphs.tsx";
import { BroadcastTable, PluginTable, SessionTable, TrackTable } from "./dashboard_tables.tsx";
import { DashboardTiles } from "./dashboard_tiles.tsx";
import { type Figures, type Look, lookFrom, recorded } from "./dashboard_data.ts";
import { OpenWarning } from "../parts/open_warning.tsx";
import { stateOf } from "../connect/access.ts";
import { relaySaid } from "../connect/relay_said.ts";
import type { ViewProps } from "../parts/view_props.ts";

const LOOK_MS = 2000;

interface State {
  readonly place: AdminPlace | undefined;
  readonly look: Look | undefined;
  readonly history: readonly Figures[];
  /** The last look got no answer, or this status. */
  readonly failed: boolean | number;
  /** The last look was turned away: for want of a token, or because it was not this one. */
  readonly locked: "no_token" | "wrong_token" | undefined;
}

/** What the relay holds and does, for those who run it. */
export function DashboardView({ visible }: ViewProps) {
  const [state, setState] = useState<State>({
    place: undefined,
    look: undefined,
    history: [],
    failed: false,
    locked: undefined,
  });
  useEffect(() => {
    if (!visible) return;
    let over = false;
    let place: AdminPlace | undefined;
    const look = async () => {
      if (document.hidden && place !== undefined) return;
      if (place?.kind !== "found") place = await findAdmin();
      const found = place;
      let locked: State["locked"];
      let failed: State["failed"] = found.kind === "found";
      const bare = adminToken.get() === "";
      const answers = found.kind === "found"
        ? await ask(found.url).catch((error) => {
          if (error instanceof TokenNeeded) locked = bare ? "no_token" : "wrong_token";
          if (error instanceof AdminRefused) failed = error.status;
          return undefined;
        })
        : undefined;
      if (over) return;
      setState((before) => {
        if (answers === undefined) {
          return { ...before, place: found, failed, locked };
        }
        const look = lookFrom(answers, before.look);
        const history = recorded(before.history, look.figures);
        return { place: found, look, history, failed: false, locked };
      });
      // A relay that was started anew may have another admin port.
      if (answers === undefined) place = undefined;
    };
    let timer: ReturnType<typeof setTimeout>;
    const again = () => look().finally(() => over || (timer = setTimeout(again, LOOK_MS)));
    void again();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [visible]);

  const { place, look, history, failed, locked } = state;
  if (place === undefined) return <p class="loading" role="status">Asking the relay …</p>;
  if (locked !== undefined) return <TokenForm wrong={locked === "wrong_token"} />;
  const problem = failed !== false || place.kind !== "found";
  return (
    <div class="column">
      <OpenWarning visible={visible} />
      {problem && <Problem place={place} failed={failed} />}
      {look !== undefined && (
        <>
          <DashboardTiles look={look} />
          <DashboardGraphs history={history} />
          <ClusterTables look={look} />
          <BroadcastWay look={look} />
          <TrackTable look={look} />
          {look.answers.plugins.length > 0 && <PluginTable look={look} />}
          <div class="columns even">
            <SessionTable look={look} />
            <BroadcastTable look={look} />
          </div>
        </>
      )}
    </div>
  );
}

/** Asks for the token; the next look takes it. */
function TokenForm({ wrong }: { readonly wrong: boolean }) {
  const [text, setText] = useState("");
  const take = (event: Event) => {
    event.preventDefault();
    adminToken.set(text.trim());
    setText("");
  };
  return (
    <form id="admin-token" class="card notice form" onSubmit={take}>
      <h2>The admin interface asks for a token</h2>
      <p>
        It is the relay's <code>admin.token</code>, or stands in its{" "}
        <code>admin.token_file</code>. This tab forgets it when it is closed.
        {wrong && " The one that was given is not it."}
      </p>
      <TokenField id="token" text={text} onText={setText} />
      <button type="submit">Show the dashboard</button>
    </form>
  );
}

/** Why there is nothing to see, and what to do about it. */
function Problem({ place, failed }: Pick<State, "failed"> & { readonly place: AdminPlace }) {
  const { title, text, command } = adviceFor(place, failed);
  return (
    <section id="no-admin" class="card notice" role="status">
      <h2>{title}</h2>
      <p>{text}</p>
      {command !== undefined && (
        <div class="command">
          <pre
            tabIndex={0}
            aria-label="Command that forwards the ports"
          ><code>{command}</code></pre>
          <CopyButton text={command} label="Copy the command" />
        </div>
      )}
    </section>
  );
}

function adviceFor(place: AdminPlace, failed: State["failed"]) {
  const port = location.port || "80";
  const status = typeof failed === "number" ? failed : undefined;
  switch (place.kind) {
    case "found":
      if (status !== undefined) {
        return {
          title: `The admin interface answers with status ${status}`,
          text: status === 403
            ? "It is there, but takes no requests from this page (403). Open the page under the name or address " +
              "that the relay printed at its start."
            : status === 503
            ? "It is there, but about to stop (503). It is asked again every two seconds."
            : "It is there, but cannot answer; the relay's log tells why. It is asked again every two seconds.",
        };
      }
      return {
        title: "The admin interface does not answer",
        text:
          `It should be at ${place.url}. If the relay runs elsewhere and this page came through a forwarded ` +
          "port, forward that one as well, under the same number. It is asked again every two seconds.",
      };
    case "remote":
      return {
        title: "The dashboard is for the machine the relay runs on",
        text:
          "It shows every session, so the admin interface answers to that machine alone. From elsewhere, forward " +
          `both ports over ssh and open http://localhost:${port}/#/dashboard. 9090 stands for the port of admin.address.`,
        command: `ssh -N -L ${port}:localhost:${port} -L 9090:127.0.0.1:9090 ${location.hostname}`,
      };
    case "off":
      return {
        title: "The admin interface is not on this machine's own address",
        text:
          "The dashboard reads it where it listens on a loopback address, which nobody else can reach. Set " +
          "admin.address to 127.0.0.1:9090, its default, and start the relay again.",
      };
    default:
      if (place.status !== undefined) {
        const said = relaySaid(stateOf(place.status, false), "")!;
        return { title: said.title, text: said.text };
      }
      return {
        title: "The relay does not answer",
        text:
          "It is asked again every two seconds. If it was stopped, start it again; figures then begin anew.",
      };
  }
}
