/// <reference lib="dom" />
import { useEffect, useRef, useState } from "preact/hooks";
import { found, MANY_BROADCASTS } from "./find_broadcast.ts";
import { Name } from "../parts/name.tsx";
import { addressOf } from "../page_route.ts";

interface ListProps {
  readonly live: readonly string[] | undefined;
  /** Whether the list is current. If not, it shows what was live when the relay last answered. */
  readonly fresh: boolean;
  readonly current: string | undefined;
  readonly onChoose: (name: string) => void;
}

/** Links to what is live. */
export function BroadcastList({ live = [], fresh, current, onChoose }: ListProps) {
  const [search, setSearch] = useState("");
  const searchable = live.length >= MANY_BROADCASTS || search !== "";
  const shown = searchable ? found(live, search) : live;
  const list = useRef<HTMLUListElement>(null);
  const listed = current !== undefined && shown.includes(current);
  useEffect(() => {
    const item = list.current?.querySelector<HTMLElement>("[aria-current]");
    if (item === null || item === undefined) return;
    // The list scrolls for itself; the page stays where it is.
    const { offsetTop: top, offsetHeight: height } = item;
    const { scrollTop, clientHeight } = list.current!;
    if (top < scrollTop || top + height > scrollTop + clientHeight) {
      list.current!.scrollTop = top - (clientHeight - height) / 2;
    }
  }, [current, listed]);
  return (
    <nav id="live" class="card" aria-labelledby="live-title">
      <h2 id="live-title">
        {fresh ? "Live now" : "Live before"}{" "}
        {fresh && live.length > 0 && <span id="count">{live.length}</span>}
      </h2>
      {searchable && (
        <div class="field" id="find-field">
          <input
            id="find"
            type="search"
            aria-label="Find a broadcast"
            placeholder="Find a broadcast"
            autocomplete="off"
            spellcheck={false}
            value={search}
            onInput={({ currentTarget }) => setSearch(currentTarget.value)}
          />
          <small id="found" role="status">
            {search.trim() !== "" && `${shown.length} of ${live.length}`}
          </small>
        </div>
      )}
      {!fresh && <p id="stale" class="soft">What is live now is not known.</p>}
      {fresh && live.length === 0 && <p id="none" class="soft">No broadcast is announced.</p>}
      <ul id="broadcasts" ref={list}>
        {shown.map((name) => (
          <li key={name}>
            <a
              href={addressOf(location.href, { name, view: "watch" })}
              aria-current={name === current ? "true" : undefined}
              onClick={(event) => {
                if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                event.preventDefault();
                onChoose(name);
              }}
            >
              <Name of={name} />
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
