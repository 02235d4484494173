/// <reference lib="dom" />
/** The page of a relay: watch, publish, dashboard. What a view needs beyond this is fetched when it is opened. */
import { render } from "preact";
import { App } from "./app.tsx";
import { applyTheme, storedTheme } from "./theme.tsx";

applyTheme(storedTheme());
render(<App />, document.getElementById("app")!);
