/// <reference lib="dom" />
interface TokenFieldProps {
  readonly id: string;
  readonly text: string;
  readonly onText: (text: string) => void;
}

/** Takes a token. Nobody reads it over a shoulder, and the browser does not keep it. */
export function TokenField({ id, text, onText }: TokenFieldProps) {
  return (
    <div class="field">
      <label for={id}>Token</label>
      <input
        id={id}
        type="password"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => onText(event.currentTarget.value)}
      />
    </div>
  );
}
