/// <reference lib="dom" />
import { type ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { AccessNotice } from "./connect/access_notice.tsx";
import { pageAccess } from "./connect/page_access.ts";
import { type Announced, useAnnounced } from "./connect/use_announced.ts";
import { relaySaid } from "./connect/relay_said.ts";
import { addressOf, useRoute, type View, VIEWS } from "./page_route.ts";
import { ThemeSwitch } from "./parts/theme.tsx";
import type { ViewProps } from "./parts/view_props.ts";

const TITLES: Readonly<Record<View, string>> = {
  watch: "Watch",
  publish: "Publish",
  dashboard: "Dashboard",
};

const LOADERS: Readonly<Record<View, () => Promise<ComponentType<ViewProps>>>> = {
  watch: async () => (await import("./watch/watch_view.tsx")).WatchView,
  publish: async () => (await import("./publish/publish_view.tsx")).PublishView,
  dashboard: async () => (await import("./dashboard/dashboard_view.tsx")).DashboardView,
};

/** Header, links to the views, and the views that were opened so far. */
export function App() {
  const [route, go] = useRoute();
  const announced = useAnnounced();
  const [opened, setOpened] = useState<readonly View[]>([route.view]);
  if (!opened.includes(route.view)) setOpened([...opened, route.view]);

  const heading = useRef<HTMLHeadingElement>(null);
  const first = useRef(true);
  useEffect(() => {
    document.title = route.view === "watch" ? "qumo-relay" : `${TITLES[route.view]} · qumo-relay`;
    // A screen reader says where the user is after each change. At the start the browser says the title itself.
    if (!first.current) heading.current?.focus({ preventScroll: true });
    first.current = false;
  }, [route.view]);

  const follow = (view: View) => (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go({ view });
  };
  return (
    <>
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          heading.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <header>
        <a
          class="brand"
          href={addressOf(location.href, { view: "watch" })}
          onClick={follow("watch")}
        >
          <Logo />
          qumo-relay
        </a>
        <nav aria-label="Views">
          {VIEWS.map((view) => (
            <a
              key={view}
              href={addressOf(location.href, { view })}
              aria-current={view === route.view ? "page" : undefined}
              onClick={follow(view)}
            >
              {TITLES[view]}
            </a>
          ))}
        </nav>
        <RelayState {...announced} />
        <ThemeSwitch />
      </header>
      <main id="content">
        <h1 class="unseen" tabIndex={-1} ref={heading}>{TITLES[route.view]}</h1>
        {route.view !== "dashboard" && announced.state !== "asking" && (
          <AccessNotice
            state={announced.state}
            watchOnly={route.view === "publish" && !announced.mayPublish}
          />
        )}
        {VIEWS.filter((view) => opened.includes(view)).map((view) => (
          <div key={view} class="view" id={`${view}-view`} hidden={view !== route.view}>
            <LazyView view={view} visible={view === route.view} {...{ route, go, announced }} />
          </div>
        ))}
      </main>
    </>
  );
}

/** Whether the relay lets us in: the same on every view. */
function RelayState({ live, state: answered }: Announced) {
  const said = answered === "asking" ? undefined : relaySaid(answered, pageAccess().root);
  const state = said !== undefined ? "down" : live === undefined ? "idle" : "up";
  const text = said !== undefined
    ? said.short
    : live === undefined
    ? "Looking for broadcasts"
    : live.length === 0
    ? "Nothing is live"
    : `${live.length} live`;
  return <p id="relay-state" class="pill" role="status" data-state={state}>{text}</p>;
}

/** Fetches the code of a view when it is opened for the first time. */
function LazyView({ view, ...props }: ViewProps & { readonly view: View }) {
  const [loaded, setLoaded] = useState<{ readonly View: ComponentType<ViewProps> }>();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    LOADERS[view]().then((View) => setLoaded({ View }), () => setFailed(true));
  }, []);
  if (loaded !== undefined) return <loaded.View {...props} />;
  if (!failed) return <p class="loading" role="status">One moment …</p>;
  return (
    <div class="card notice" role="alert">
      <h2>This part of the page did not come</h2>
      <p>The relay was restarted with another page, or it is gone. Load the page again.</p>
      <button type="button" class="primary" onClick={() => location.reload()}>Load again</button>
    </div>
  );
}

function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <circle cx="16" cy="16" r="5" />
      <path d="M7 7a13 13 0 0 0 0 18M25 7a13 13 0 0 1 0 18" />
    </svg>
  );
}
