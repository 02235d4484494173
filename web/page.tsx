/// <reference lib="dom" />
/** The page of a relay: watch, publish, dashboard. What a view needs beyond this is fetched when it is opened. */
import { render } from "preact";
import { App } from "./app.tsx";
import { maskConsole } from "./connect/console_masking.ts";
import { pageAccess } from "./connect/page_access.ts";
import { applyTheme, storedTheme } from "./parts/theme.tsx";

maskConsole(console);
pageAccess(); // takes the token out of the address before anything else reads it
applyTheme(storedTheme());
render(<App />, document.getElementById("app")!);
