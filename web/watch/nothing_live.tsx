/// <reference lib="dom" />
import { CopyButton } from "../parts/copy_button.tsx";
import { pageAccess } from "../connect/page_access.ts";
import type { Announced } from "../connect/use_announced.ts";
import { relaySaid } from "../connect/relay_said.ts";
import { addressOf, type PageRoute } from "../page_route.ts";

interface NothingLiveProps {
  readonly go: (to: Partial<PageRoute>) => void;
  /** How the relay answered. */
  readonly state: Announced["state"];
}

/** What to do when nothing is live. */
export function NothingLive({ go, state }: NothingLiveProps) {
  const access = pageAccess();
  const said = state === "asking" ? undefined : relaySaid(state, access.root);
  const withToken = access.token !== undefined;
  const command = commandFor(withToken ? `"${access.url}?jwt=$TOKEN"` : access.url);
  return (
    <section id="empty" class="card" aria-labelledby="empty-title">
      <h2 id="empty-title">{said?.title ?? "Nothing is live yet"}</h2>
      <p class="soft">
        {said?.text ?? "Go live from this browser, with a camera, a screen or a test picture:"}
      </p>
      <p>
        <a
          class="button primary"
          href={addressOf(location.href, { view: "publish" })}
          onClick={(event) => {
            event.preventDefault();
            go({ view: "publish" });
          }}
        >
          Publish from here
        </a>
      </p>
      <p class="soft">
        Or pipe any fragmented MP4 into{" "}
        <code>pub</code>: with ffmpeg installed, this one line sends a test picture and a tone.
        {withToken && (
          <>
            {" "}Put the token into <code>TOKEN</code> first.
          </>
        )}
      </p>
      <div class="command">
        <pre
          tabIndex={0}
          aria-label="Command that publishes a test picture"
        ><code id="command">{command}</code></pre>
        <CopyButton id="copy-command" text={command} label="Copy the command" />
      </div>
    </section>
  );
}

function commandFor(url: string): string {
  const pub = document.querySelector<HTMLMetaElement>("meta[name=qumo-pub]")?.content ??
    "qumo-relay pub";
  return [
    "ffmpeg -v error -re -f lavfi -i testsrc2=size=1280x720:rate=30 \\",
    "  -f lavfi -i sine=frequency=440:sample_rate=48000 \\",
    "  -c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -g 60 -c:a aac \\",
    "  -f mp4 -movflags cmaf+separate_moof+delay_moov+skip_trailer+frag_every_frame - |",
    `  ${pub} ${url} --broadcast demo`,
  ].join("\n");
}
