/**
 * The whole body of an answer as text. It is read no further than it may be long: who answers may send for ever.
 * @throws {RangeError} It has more than `most` bytes. @throws {TypeError} It is no UTF-8, or was cut off.
 */
export async function textWithin({ body }: Response, most: number): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = body?.getReader();
  let text = "";
  let size = 0;
  for (;;) {
    const { value, done } = await reader?.read() ?? { value: undefined, done: true };
    if (done) return text + decoder.decode();
    size += value.length;
    if (size > most) {
      void reader!.cancel();
      throw new RangeError(`it has more than ${most} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}
