/// <reference lib="dom" />
/** What the relay serves as /embed.js: defines `<qumo-watch>`. */
import { QumoWatch } from "./embed/watch_element.ts";

// A page may load the script of two relays.
if (customElements.get("qumo-watch") === undefined) customElements.define("qumo-watch", QumoWatch);
