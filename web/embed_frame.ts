/// <reference lib="dom" />
/** The page at /embed/BROADCAST: one player. The page that holds it steers it by messages. */
import { visible } from "../base/visible_text.ts";
import { maskConsole } from "./connect/console_masking.ts";
import { type FrameAddress, readFrameAddress, readOrder } from "./embed/frame_address.ts";
import type { QumoWatch } from "./embed/watch_element.ts";

const EVENTS = ["playing", "waiting", "paused", "offline", "ended", "error", "resize"];

maskConsole(console);
const address = read();
// The token stays in memory: no history entry, copied address or referrer holds it.
history.replaceState(null, "", address.clean);

const player = document.createElement("qumo-watch") as QumoWatch;
player.token = address.token;
for (const [name, value] of Object.entries(address.attributes)) player.setAttribute(name, value);
player.setAttribute("src", address.relayUrl);
player.setAttribute("broadcast", address.broadcast);

function read(): FrameAddress {
  try {
    return readFrameAddress(location.href);
  } catch (error) {
    // This address holds the token too.
    history.replaceState(null, "", location.pathname);
    document.body.style.color = "#fff";
    document.body.textContent = "This address names no broadcast.";
    throw error;
  }
}

/** The messages hold no secret: without a named parent, any page that embeds this one receives them. */
const tell = (type: string, detail: unknown) => {
  if (parent === window || address.parent === "none") return;
  parent.postMessage({ type: `qumo:${type}`, detail }, address.parent ?? "*");
};

for (const type of EVENTS) {
  player.addEventListener(type, (event) => tell(type, (event as CustomEvent).detail));
}
addEventListener("message", (event) => {
  // Only the parent counts: not other frames, not the page that opened this one.
  if (event.source !== parent || parent === window) return;
  if (address.parent !== undefined && event.origin !== address.parent) return;
  const order = readOrder(event.data);
  if (order === undefined) return;
  if (order.kind === "token") player.token = order.token;
  else if (order.kind === "muted") player.muted = order.muted;
  else if (order.kind === "volume") player.volume = order.volume;
  else player[order.kind]();
});
document.title = visible(address.broadcast);
document.body.append(player);
tell("ready", {});
