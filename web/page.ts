/// <reference lib="dom" />
/**
 * The first page of a relay: what is live, and a player for it. The player is a bundle of its own, so that the list works
 * without it.
 */

/** The parts of `<moq-watch>` that are used here. */
interface Player extends HTMLElement {
  readonly connection: {
    readonly established: {
      watch(told: (session: { readonly version: string } | undefined) => void): void;
    };
  };
}

const POLL_MS = 2000;

const byId = (id: string) => document.getElementById(id)!;
const relay = new URL("/", location.href).href;
const query = new URLSearchParams(location.search);

/** The name the user chose; without one the first that is live is played. */
let chosen = query.get("name") ?? undefined;
let playing: string | undefined;
let player: Promise<Player> | undefined;
let live: readonly string[] = [];

/** The version as `@moq/net` names it, in the words of the configuration. */
const versionName = (version: string) => version.startsWith("moq-") ? version : `moq-${version}`;

function showSession(text: string, state: "idle" | "up" | "down"): void {
  byId("session").textContent = text;
  byId("session").dataset.state = state;
}

/** Makes the player when it is needed for the first time. */
async function makePlayer(): Promise<Player> {
  // Beside this file; not an import by name, which would put it into the same bundle.
  const bundle = new URL("watch.js", import.meta.url).href;
  await import(bundle);
  const frame = document.createElement("moq-watch-ui");
  const element = document.createElement("moq-watch") as Player;
  element.setAttribute("url", relay);
  element.setAttribute("muted", "");
  if (query.has("visible")) element.setAttribute("visible", query.get("visible")!);
  element.append(document.createElement("canvas"));
  frame.append(element);
  element.connection.established.watch((session) => {
    byId("version").textContent = session === undefined ? "–" : versionName(session.version);
    if (session !== undefined) showSession(`${versionName(session.version)}, WebTransport`, "up");
    else if (playing !== undefined) showSession("Connecting", "idle");
  });
  byId("player").append(frame);
  return element;
}

async function play(name: string | undefined): Promise<void> {
  byId("stage").hidden = name === undefined;
  byId("publish").hidden = name !== undefined;
  if (name === undefined) showSession("Nothing is live", "idle");
  if (name === playing) return;
  playing = name;
  byId("now").textContent = name ?? "";
  document.title = name === undefined ? "qumo-relay" : `${name} · qumo-relay`;
  if (name === undefined) return (await player)?.removeAttribute("name");
  try {
    const element = await (player ??= makePlayer());
    if (name === playing) element.setAttribute("name", name);
  } catch {
    showHint("This server has no player with it: watch with another one, or start it from source.");
  }
}

function showHint(text: string): void {
  byId("hint").textContent = text;
  byId("hint").hidden = text === "";
}

function choose(name: string): void {
  chosen = name;
  const url = new URL(location.href);
  url.searchParams.set("name", name);
  history.replaceState(null, "", url);
  show();
}

/** Brings the list up to date without touching entries that stay: a focused one keeps its focus. */
function showList(names: readonly string[], current: string | undefined): void {
  const list = byId("broadcasts");
  const known = new Map(
    [...list.children].map((item) => [(item as HTMLElement).dataset.name!, item]),
  );
  for (const [name, item] of known) if (!names.includes(name)) item.remove();
  names.forEach((name, at) => {
    const item = known.get(name) ?? listItem(name);
    if (list.children[at] !== item) list.insertBefore(item, list.children[at] ?? null);
    const link = item.querySelector("a")!;
    if (name === current) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  });
  byId("none").hidden = names.length > 0;
  byId("count").hidden = names.length === 0;
  byId("count").textContent = String(names.length);
}

function listItem(name: string): HTMLElement {
  const item = document.createElement("li");
  item.dataset.name = name;
  const link = document.createElement("a");
  link.href = `?${new URLSearchParams({ name })}`;
  link.textContent = name;
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    choose(name);
  });
  item.append(link);
  return item;
}

function show(): void {
  const current = chosen ?? (playing !== undefined && live.includes(playing) ? playing : live[0]);
  showList(live, current);
  void play(current);
  if (current !== undefined && !live.includes(current)) {
    showHint(`Waiting for ${current} to begin.`);
  } else showHint(isSecureContext ? "" : INSECURE);
}

const INSECURE = "Browsers allow WebTransport only on https:// pages and on localhost: open this " +
  "page in one of these ways to watch.";

async function poll(): Promise<void> {
  try {
    const answer = await fetch("/announced", { cache: "no-store" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    live = (await answer.text()).split("\n").filter((name) => name !== "");
    show();
  } catch {
    showSession("The relay does not answer", "down");
  }
}

function showCommand(): void {
  const pub = document.querySelector<HTMLMetaElement>("meta[name=qumo-pub]")!.content;
  byId("command").textContent = [
    "ffmpeg -v error -re -f lavfi -i testsrc2=size=1280x720:rate=30 \\",
    "  -f lavfi -i sine=frequency=440:sample_rate=48000 \\",
    "  -c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -g 60 -c:a aac \\",
    "  -f mp4 -movflags cmaf+separate_moof+delay_moov+skip_trailer+frag_every_frame - |",
    `  ${pub} ${relay} --broadcast demo`,
  ].join("\n");
}

function copies(button: HTMLElement, source: HTMLElement): void {
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent ?? "");
      button.textContent = "Copied";
    } catch { // Not allowed here: the user can copy a selection.
      getSelection()?.selectAllChildren(source);
      button.textContent = "Selected";
    }
    setTimeout(() => button.textContent = "Copy", 1500);
  });
}

async function showCertificate(): Promise<void> {
  const answer = await fetch("/certificate.sha256", { cache: "no-store" });
  if (!answer.ok) return;
  byId("certificate").textContent = (await answer.text()).trim();
  byId("copy-certificate").hidden = false;
}

byId("relay").textContent = location.host;
showCommand();
copies(byId("copy-command"), byId("command"));
copies(byId("copy-certificate"), byId("certificate"));
showCertificate().catch(() => {});
await poll();
setInterval(() => {
  if (!document.hidden) void poll();
}, POLL_MS);
