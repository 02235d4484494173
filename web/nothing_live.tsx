/// <reference lib="dom" />
import { CopyButton } from "./copy_button.tsx";
import { RELAY_URL } from "./relay.ts";
import { addressOf, type Route } from "./route.ts";

interface NothingLiveProps {
  readonly go: (to: Partial<Route>) => void;
  readonly reachable: boolean;
}

/** What to do when nothing is live. */
export function NothingLive({ go, reachable }: NothingLiveProps) {
  const command = commandFor(RELAY_URL);
  return (
    <section id="empty" class="card" aria-labelledby="empty-title">
      <h2 id="empty-title">{reachable ? "Nothing is live yet" : "The relay does not answer"}</h2>
      <p class="soft">
        {reachable
          ? "Go live from this browser, with a camera, a screen or a test picture:"
          : "This page looks for it again and again, and goes on by itself once it is back."}
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
