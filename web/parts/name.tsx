import { visible } from "../../base/visible_text.ts";

interface NameProps {
  /** Of a broadcast, a track, a plugin: whatever others have chosen. */
  readonly of: string;
}

/** A name on one line. The style sheet cuts it where there is no room; its title has all of it. It never turns the text around it. */
export function Name({ of }: NameProps) {
  const text = visible(of);
  return <bdi class="name" title={text}>{text}</bdi>;
}
