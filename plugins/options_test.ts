import assert from "node:assert/strict";
import { z } from "zod";
import { duration, integer, oneOf, secret, size, url } from "../config/fields.ts";
import { PluginOptionsWrong } from "./errors.ts";
import { options } from "./options.ts";

const CAMERA = options({
  url: url(["rtsp", "rtsps"], "Where the camera is."),
  retry_after: duration({ min: "1s", max: "1h", byDefault: "5s" }, "Pause."),
  password: secret("For the camera."),
  buffer: size({ min: 1, max: 1 << 20, byDefault: 4096 }, "Bytes kept."),
  renditions: z.array(z.strictObject({
    width: integer({ min: 16, max: 100, byDefault: 20 }, "Pixels."),
    codec: oneOf(["h264", "vp9"], "h264", "Codec."),
  })).optional(),
});

function problems(given: unknown): string[] {
  try {
    CAMERA.read(given);
    return [];
  } catch (error) {
    assert.ok(error instanceof PluginOptionsWrong);
    return error.problems.map(({ path, message }) => `${path.join(".")}: ${message}`);
  }
}

Deno.test("read() gives defaults, units and names of the program", () => {
  assert.deepEqual(
    CAMERA.read({ url: "rtsp://cam/", password: null, renditions: [{ width: 30 }] }),
    {
      url: "rtsp://cam/",
      retryAfter: 5000,
      buffer: 4096,
      renditions: [{ width: 30, codec: "h264" }],
    },
  );
});

Deno.test("read() tells every problem with its place, in the words of the configuration", () => {
  const given = {
    url: "http://me:hunter2@cam/",
    retry_afer: "2s",
    password: 12345,
    buffer: "4QB",
    renditions: [{ codec: "h264" }, { width: 3, codec: "h265", height: 9 }],
  };
  assert.deepEqual(problems(given).sort(), [
    'buffer: expected a size from 1 to 1MB, got "4QB"; write a number of bytes, or a number and a ' +
    'unit, like "1500" or "4KB"',
    "password: expected a text, got something else",
    'renditions.1.codec: expected one of h264, vp9, got "h265"; did you mean h264?',
    "renditions.1.height: unknown key; known here: width, codec",
    "renditions.1.width: expected a whole number from 16 to 100, got 3",
    'retry_afer: unknown key; did you mean "retry_after"?',
    'url: expected a URL that begins with rtsp:// or rtsps://, got "http://me:***@cam/"',
  ]);
  assert.deepEqual(problems(undefined), [
    "url: expected a URL that begins with rtsp:// or rtsps://, got none",
  ]);
  assert.match(problems([])[0]!, /expected a map with url, .*, got a list/);
});

Deno.test("schema is a JSON schema of what a file may say, with the words of the builders", () => {
  const { properties, required, additionalProperties } = CAMERA.schema as {
    properties: Record<string, Record<string, unknown>>;
    required: string[];
    additionalProperties: boolean;
  };
  assert.deepEqual([required, additionalProperties], [["url"], false]);
  assert.deepEqual(properties["retry_after"], {
    type: "string",
    default: "5s",
    description: "Pause.",
    expects: "a duration from 1s to 1h",
  });
  assert.equal(properties["password"]!["writeOnly"], true);
});
