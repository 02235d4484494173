/** Files of the page, by path below "/": "index.html", "assets/watch.js". */
export type Assets = ReadonlyMap<string, Asset>;

export interface Asset {
  /** MIME type. */
  readonly type: string;
  readonly body: Uint8Array<ArrayBuffer>;
}
