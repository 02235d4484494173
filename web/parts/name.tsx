import { visible } from "../../base/visible_text.ts";

interface NameProps {
  /** Of a broadcast, a track, a plugin: whatever others have chosen. */
  readonly of: string;
}

/** A name on one line: cut by the style sheet where there is no room for it, whole in its title, never turning its surroundings. */
export function Name({ of }: NameProps) {
  const text = visible(of);
  return <bdi class="name" title={text}>{text}</bdi>;
}
