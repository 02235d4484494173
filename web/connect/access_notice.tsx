/// <reference lib="dom" />
import { TokenField } from "../parts/token_field.tsx";
import { useState } from "preact/hooks";
import { needsSomebody, type RelayState } from "./access.ts";
import { pageAccess } from "./page_access.ts";
import { relaySaid } from "./relay_said.ts";

interface NoticeProps {
  readonly state: RelayState;
  /** A view that publishes shows it where only watching is allowed. */
  readonly watchOnly?: boolean;
}

/** What to say where watching is allowed and publishing is not. */
const WATCH_ONLY = {
  title: "Here you may only watch",
  text: "To publish takes another token. Ask those who run the relay for one.",
};

/** Says why the relay does not let this page in. Asks for a token where one helps. */
export function AccessNotice({ state, watchOnly = false }: NoticeProps) {
  const [text, setText] = useState("");
  const access = pageAccess();
  const refused = needsSomebody(state) ? relaySaid(state, access.root) : undefined;
  const said = refused ?? (watchOnly ? WATCH_ONLY : undefined);
  if (said === undefined) return null;
  const take = (event: Event) => {
    event.preventDefault();
    setText("");
    access.give(text.trim());
  };
  return (
    <form id="relay-access" class="card notice form" data-state={state} onSubmit={take}>
      <h2>{said.title}</h2>
      <p role="alert">{said.text}</p>
      {state !== "nothing_here" && (
        <>
          <TokenField id="relay-token" text={text} onText={setText} />
          <p class="soft">
            This tab forgets it when it is closed. Links copied here do not hold it.
          </p>
          <button type="submit" class="primary" disabled={text.trim() === ""}>Enter</button>
        </>
      )}
    </form>
  );
}
