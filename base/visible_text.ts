/**
 * Names as people may be shown them. A peer chooses its names: they can hold characters that move a cursor, turn the
 * direction of the text around them, or cannot be seen at all.
 *
 * @module
 */

/** Characters that cannot be seen, and those that change how others are shown. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}\u2800]|(?! )\p{Zs}|^ | $|\\(?=u)/gu;
/** Some of them belong to a script or to a sign, behind the right character. No class: V8 misses pairs in one before `$`. */
const JOINS = /(?:\p{M}|\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f|\p{Script=Arabic})$/u;
const SELECTS = /\p{Emoji}$/u;

/**
 * A name with every control character, bidi control and invisible character written out, as in `\u202e`. Two names never
 * look alike because of one. What comes out is one line and may be shown anywhere.
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
 * A name for the middle of a sentence: visible, at most `most` characters with its middle left out, and set apart where it is
 * written from right to left, so that it does not turn the words beside it.
 */
export function inSentence(name: string, most = 60): string {
  const text = shortened(visible(name), most);
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}

/** At most `most` characters of a text: its begin and its end, which often tells more than the middle. */
export function shortened(text: string, most: number): string {
  const characters = [...text];
  if (characters.length <= most) return text;
  const end = Math.floor((most - 1) / 3);
  const begin = most - 1 - end;
  return `${characters.slice(0, begin).join("")}…${characters.slice(-end || Infinity).join("")}`;
}
