/// <reference lib="dom" />
/** The bar below the picture of an embedded player. */

/** What the bar shows. */
export interface ControlsView {
  readonly paused: boolean;
  readonly muted: boolean;
  readonly volume: number;
  /** "", or the track of the rendition that was chosen by hand. */
  readonly quality: string;
  /** Best first. */
  readonly qualities: readonly { readonly track: string; readonly label: string }[];
}

/** What the bar asks for. */
export interface ControlsActions {
  pause(paused: boolean): void;
  mute(muted: boolean): void;
  volume(volume: number): void;
  quality(track: string): void;
  fullscreen(): void;
}

export class Controls {
  readonly bar = document.createElement("div");
  readonly #pause: HTMLButtonElement;
  readonly #mute: HTMLButtonElement;
  readonly #volume = document.createElement("input");
  readonly #quality = document.createElement("select");
  #shown = "";
  #options = "";

  constructor(actions: ControlsActions) {
    this.bar.className = "bar";
    this.bar.part.add("bar");
    this.bar.role = "group";
    this.bar.ariaLabel = "Player";
    this.#pause = button(() => actions.pause(this.#pause.textContent === "Pause"));
    this.#mute = button(() => actions.mute(this.#mute.textContent === "Mute"));
    Object.assign(this.#volume, { type: "range", min: "0", max: "1", step: "0.05" });
    this.#volume.ariaLabel = "Volume";
    this.#volume.addEventListener("input", () => actions.volume(this.#volume.valueAsNumber));
    this.#quality.ariaLabel = "Quality";
    this.#quality.addEventListener("change", () => actions.quality(this.#quality.value));
    const gap = document.createElement("span");
    gap.className = "gap";
    const full = button(() => actions.fullscreen());
    full.textContent = "Full screen";
    this.bar.append(this.#pause, this.#mute, this.#volume, gap, this.#quality, full);
  }

  /** Writes only what has changed: an open list stays open. */
  show(view: ControlsView): void {
    const text = JSON.stringify(view);
    if (text === this.#shown) return;
    this.#shown = text;
    this.#pause.textContent = view.paused ? "Play" : "Pause";
    this.#mute.textContent = view.muted ? "Unmute" : "Mute";
    this.#volume.valueAsNumber = view.volume;
    this.#quality.hidden = view.qualities.length < 2;
    const options = JSON.stringify(view.qualities);
    if (options !== this.#options) {
      this.#options = options;
      this.#quality.replaceChildren(
        new Option("Automatic", ""),
        ...view.qualities.map(({ track, label }) => new Option(label, track)),
      );
    }
    this.#quality.value = view.quality;
  }
}

function button(press: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.addEventListener("click", press);
  return made;
}
