/**
 * Makes names safe to show. A peer chooses its names: they may hold characters that move a cursor, change the direction
 * of the text around them, or are invisible.
 *
 * @module
 */

/** Invisible characters, and characters that change how others look. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}\u2800]|(?! )\p{Zs}|^ | $|\\(?=u)/gu;
/** Some of them are part of a script or a sign after the right character. This is no class: V8 misses pairs in a class before `$`. */
const JOINS = /(?:\p{M}|\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f|\p{Script=Arabic})$/u;
const SELECTS = /\p{Emoji}$/u;

/**
 * A name with every control character, bidi control and invisible character written out, as in `\u202e`. So two names
 * never look alike because of one. The result is one line and safe to show anywhere.
 */
export function visible(name: string): string {
  return name.replace(UNSEEN, (char, at: number) => {
    if (char === "\u200c" || char === "\u200d" || char === "\ufe0f") {
      const before = name.slice(Math.max(0, at - 2), at);
      if ((char === "\ufe0f" ? SELECTS : JOINS).test(before)) return char;
    }
    const code = char.codePointAt(0)!.toString(16);
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
  });
}

/** Letters that are written from right to left. */
const RIGHT_TO_LEFT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;

/**
 * A name for the middle of a sentence: visible, and shortened to `most` characters. A name that is written from right to
 * left is isolated, so that it does not change the direction of the words beside it.
 */
export function inSentence(name: string, most = 60): string {
  const text = shortened(visible(name), most);
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}

/** At most `most` characters of a text: its beginning and its end, which often says more than the middle. */
export function shortened(text: string, most: number): string {
  const characters = [...text];
  if (characters.length <= most) return text;
  const end = Math.floor((most - 1) / 3);
  const begin = most - 1 - end;
  return `${characters.slice(0, begin).join("")}…${characters.slice(-end || Infinity).join("")}`;
}
