/// <reference lib="dom" />
import { addressOf } from "./route.ts";

interface ListProps {
  readonly live: readonly string[] | undefined;
  readonly current: string | undefined;
  readonly onChoose: (name: string) => void;
}

/** Links to what is live. */
export function BroadcastList({ live = [], current, onChoose }: ListProps) {
  return (
    <nav id="live" class="card" aria-labelledby="live-title">
      <h2 id="live-title">
        Live now {live.length > 0 && <span id="count">{live.length}</span>}
      </h2>
      {live.length === 0 && <p id="none" class="soft">No broadcast is announced.</p>}
      <ul id="broadcasts">
        {live.map((name) => (
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
              {name}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
