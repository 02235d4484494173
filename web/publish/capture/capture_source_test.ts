import assert from "node:assert/strict";
import { sourceSentence } from "./capture_source.ts";

Deno.test("sourceSentence() tells what happened and what to do next", () => {
  const failed = (name: string) => new DOMException("text of the browser", name);
  assert.match(sourceSentence("camera", failed("NotAllowedError")), /refused.*address bar/);
  assert.match(sourceSentence("screen", failed("NotAllowedError")), /Nothing was shared/);
  assert.match(sourceSentence("camera", failed("NotFoundError")), /No camera was found/);
  assert.match(sourceSentence("microphone", failed("NotReadableError")), /another program/);
  assert.match(sourceSentence("camera", failed("TypeError")), /text of the browser/);
  for (const name of ["NotAllowedError", "NotFoundError", "NotReadableError", "TypeError"]) {
    assert.match(sourceSentence("camera", failed(name)), /or take the test pattern\.$/);
  }
});
