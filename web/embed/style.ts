/** The look of an embedded player, in its shadow tree. A page can change its custom properties and parts. */
export const STYLE = `
:host { display: block; position: relative; aspect-ratio: 16 / 9; overflow: hidden;
  background: #000; color: #e9efee; font: 14px/1.4 system-ui, sans-serif; }
:host([hidden]) { display: none; }
canvas, img { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; }
img[hidden], .bar[hidden], .said[hidden] { display: none; }
.said { position: absolute; inset: auto 0 50% 0; margin: 0; padding: 0 1em; text-align: center;
  text-shadow: 0 0 4px #000, 0 0 2px #000; overflow-wrap: anywhere; }
.bar { position: absolute; inset: auto 0 0 0; display: flex; flex-wrap: wrap; gap: 8px; align-items: center;
  padding: 6px 8px; background: rgb(0 0 0 / 65%); }
.bar button, .bar select { font: inherit; color: inherit; background: #2a3436; border: 1px solid #6c7b7a;
  border-radius: 4px; min-height: 32px; padding: 0 10px; cursor: pointer; }
.bar :focus-visible { outline: 2px solid var(--qumo-accent, #4fcfbf); outline-offset: 1px; }
.bar select { max-width: 10rem; }
.bar input { min-width: 40px; width: 90px; accent-color: var(--qumo-accent, #4fcfbf); }
.gap { flex: 1; }
`;
