/// <reference lib="dom" />
/** Dark and light: as the system has it, or as the user wants it here. */
import { useState } from "preact/hooks";
import { Icon, type IconName } from "./icons.tsx";
import { recall, remember } from "./prefs.ts";

export type Theme = "system" | "light" | "dark";

const NEXT: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };
const SAID: Readonly<Record<Theme, string>> = {
  system: "Colours: as the system",
  light: "Colours: light",
  dark: "Colours: dark",
};
const ICONS: Readonly<Record<Theme, IconName>> = { system: "contrast", light: "sun", dark: "moon" };

/** The event on `document` when the colours change. Graphs draw themselves again. */
export const THEME_CHANGED = "qumo-theme";

export function storedTheme(): Theme {
  const kept = recall("theme", "system");
  return kept in NEXT ? kept as Theme : "system";
}

export function applyTheme(theme: Theme): void {
  document.documentElement.style.colorScheme = theme === "system" ? "" : theme;
  document.dispatchEvent(new Event(THEME_CHANGED));
}

/** One button that goes through the three. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState(storedTheme);
  const next = NEXT[theme];
  const change = () => {
    remember("theme", next);
    setTheme(next);
    applyTheme(next);
  };
  const title = `${SAID[theme]}; change to ${next === "system" ? "the system's" : next}`;
  return (
    <button id="theme" type="button" class="icon" title={title} aria-label={title} onClick={change}>
      <Icon name={ICONS[theme]} />
    </button>
  );
}
