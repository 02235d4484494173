import assert from "node:assert/strict";
import { parseConfig } from "../../config/load.ts";
import { SETTINGS } from "../../config/settings.ts";
import { LIMIT_KEYS } from "../../metrics/limit_keys.ts";
import { DEFAULT_LIMITS, isLimit, limitsOf } from "./limits.ts";

/** Limits that no setting changes. */
const FIXED = ["capacity", "announce_streams", "unfinished_bytes", "message_time", "early_streams"];

Deno.test("LIMIT_KEYS calls every limit as its setting is called, but for those that have none", () => {
  const keys = new Set(SETTINGS.map(({ key }) => key));
  const others = Object.values(LIMIT_KEYS).filter((key) => !keys.has(key));
  assert.deepEqual(others, FIXED);
  const limits = SETTINGS.filter(isLimit).map(({ key }) => key);
  const counted: string[] = Object.values(LIMIT_KEYS);
  for (const key of counted) assert.ok(limits.includes(key) || FIXED.includes(key), key);
  const ofSection = SETTINGS.filter(({ section }) => section === "limits").map(({ key }) => key);
  assert.deepEqual(ofSection.filter((key) => !counted.includes(key)), []);
});

Deno.test("limitsOf() and DEFAULT_LIMITS set the same limits, each to a number", () => {
  const set = limitsOf(parseConfig("").config);
  assert.deepEqual(Object.keys(set).sort(), Object.keys(DEFAULT_LIMITS).sort());
  assert.ok(Object.values({ ...set }).every((limit) => limit >= 0));
  assert.equal(DEFAULT_LIMITS.maxSessions, 0);
  assert.equal(DEFAULT_LIMITS.maxFrameBytes, Infinity);
  const { config } = parseConfig("limits: { max_frame_bytes: 0, max_sessions: 7 }\n");
  assert.equal(limitsOf(config).maxFrameBytes, Infinity);
  assert.equal(limitsOf(config).maxSessions, 7);
});
