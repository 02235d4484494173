/**
 * Scripts that run inside Redis, so that each has its whole effect or none.
 *
 * A track is four keys: `frames`, a stream with the id `SEQUENCE-0` for each frame, `h` its head and `p` its payload;
 * `order`, the groups by the sequence of their first frame; `groups`, the data of each group; `meta`, counters, the writer
 * and its last batch. `tracks` lists the newest tracks of a broadcast by the time of their last append.
 *
 * @module
 */

/** first : last : frames before : bytes before : stored at : timestamp : from start : whole */
const PARSE = `
local function parse(e)
  local a, b, c, d, s, t, k, w = string.match(e, '^(%d+):(%d+):(%d+):(%d+):(%d+):(-?%d+):(%d):(%d)$')
  return { first = tonumber(a), last = tonumber(b), frames = tonumber(c), bytes = tonumber(d),
    stored = tonumber(s), timestamp = t, start = k, whole = w }
end
local function num(n) return string.format('%.0f', n) end
`;

/**
 * Appends a batch. For a batch that it has already the answer is the same again; for a track with another writer it is -1.
 * The numbers of a new track begin at the time in milliseconds: above those of an earlier track of the name.
 * KEYS frames order groups meta tracks; ARGV writer batch leaseMs ttlMs floor name, then group timestamp flags storedAt
 * payload of each frame. Returns the sequence of the first.
 */
export const APPEND = `${PARSE}
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local m = redis.call('HMGET', KEYS[4], 'owner', 'until', 'batch', 'first', 'last', 'bytes', 'frames',
  'before', 'beforeBatch', 'beforeFirst')
local writer = ARGV[1]
if m[1] == writer and m[3] == ARGV[2] then return m[4] end
if m[8] == writer and m[9] == ARGV[2] then return m[10] end
if m[1] and m[1] ~= writer then
  if tonumber(m[2]) > now then return '-1' end
  redis.call('HSET', KEYS[4], 'before', m[1], 'beforeBatch', m[3], 'beforeFirst', m[4])
end
local last = math.max(tonumber(m[5] or now), tonumber(ARGV[5]))
local bytes = tonumber(m[6] or 0)
local frames = tonumber(m[7] or 0)
local first = num(last + 1)
for i = 7, #ARGV, 5 do
  last = last + 1
  local seq, group, flags, payload = num(last), ARGV[i], tonumber(ARGV[i + 2]), ARGV[i + 4]
  redis.call('XADD', KEYS[1], seq .. '-0', 'h',
    group .. ':' .. ARGV[i + 1] .. ':' .. ARGV[i + 2] .. ':' .. ARGV[i + 3], 'p', payload)
  local known = redis.call('HGET', KEYS[3], group)
  local whole = flags >= 2 and '1' or '0'
  local entry
  if known and flags % 2 == 0 then
    local e = parse(known)
    if e.whole == '1' then whole = '1' end
    entry = num(e.first) .. ':' .. seq .. ':' .. num(e.frames) .. ':' .. num(e.bytes) .. ':' ..
      num(e.stored) .. ':' .. e.timestamp .. ':' .. e.start .. ':' .. whole
  else
    entry = seq .. ':' .. seq .. ':' .. num(frames) .. ':' .. num(bytes) .. ':' .. ARGV[i + 3] .. ':' ..
      ARGV[i + 1] .. ':' .. (flags % 2) .. ':' .. whole
    redis.call('ZADD', KEYS[2], seq, group)
  end
  redis.call('HSET', KEYS[3], group, entry)
  frames = frames + 1
  bytes = bytes + #payload
end
redis.call('HSET', KEYS[4], 'owner', writer, 'until', num(now + tonumber(ARGV[3])), 'batch', ARGV[2],
  'first', first, 'last', num(last), 'bytes', num(bytes), 'frames', num(frames))
if redis.call('ZADD', KEYS[5], now, ARGV[6]) == 1 then
  redis.call('ZREMRANGEBYRANK', KEYS[5], 0, -1001)
end
if ARGV[4] ~= '0' then
  for i = 1, 5 do redis.call('PEXPIRE', KEYS[i], ARGV[4]) end
end
return first
`;

/** Frees a track that a writer held. KEYS meta; ARGV writer. */
export const RELEASE = `
if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] then redis.call('HSET', KEYS[1], 'until', '0') end
return 1
`;

/** KEYS frames order groups meta; ARGV now maxAgeMs maxFrames maxBytes, -1 for none. Returns how many frames were removed. */
export const TRIM = `${PARSE}
local m = redis.call('HMGET', KEYS[4], 'frames', 'bytes', 'goneFrames', 'goneBytes')
if not m[1] then return 0 end
local frames, bytes = tonumber(m[1]), tonumber(m[2])
local now, age, most, room = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local function fits(f, b) return (most < 0 or frames - f <= most) and (room < 0 or bytes - b <= room) end
local enough = fits(tonumber(m[3] or 0), tonumber(m[4] or 0))
local cut, passed = nil, 0
while true do
  local page = redis.call('ZRANGE', KEYS[2], passed, passed + 99)
  local stop = #page == 0
  for _, group in ipairs(page) do
    local e = parse(redis.call('HGET', KEYS[3], group))
    if enough and not (age >= 0 and e.stored <= now - age) then stop = true break end
    cut = e
    enough = fits(e.frames, e.bytes)
    passed = passed + 1
  end
  if stop then break end
end
if not cut then return 0 end
local gone = redis.call('XTRIM', KEYS[1], 'MINID', '=', num(cut.first) .. '-0')
for i = 1, passed - 1, 500 do
  local old = redis.call('ZRANGE', KEYS[2], 0, math.min(499, passed - 1 - i))
  if #old > 0 then
    redis.call('HDEL', KEYS[3], unpack(old))
    redis.call('ZREM', KEYS[2], unpack(old))
  end
end
redis.call('HSET', KEYS[4], 'goneFrames', num(cut.frames), 'goneBytes', num(cut.bytes))
return gone
`;

/** KEYS frames order groups meta tracks; ARGV name. Returns how many frames were removed. */
export const DELETE = `
local gone = redis.call('XLEN', KEYS[1])
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
local m = redis.call('HMGET', KEYS[4], 'frames', 'bytes')
if m[1] then redis.call('HSET', KEYS[4], 'goneFrames', m[1], 'goneBytes', m[2]) end
redis.call('ZREM', KEYS[5], ARGV[1])
return gone
`;

/** Frames between the first and the last of a group, with those of other groups between them. KEYS frames groups; ARGV group. */
export const GROUP = `${PARSE}
local known = redis.call('HGET', KEYS[2], ARGV[1])
if not known then return {} end
local e = parse(known)
if e.start ~= '1' then return {} end
return redis.call('XRANGE', KEYS[1], num(e.first) .. '-0', num(e.last) .. '-0')
`;

/** KEYS order groups; ARGV atMs limit. Returns each group followed by its data. */
export const GROUPS = `${PARSE}
local function at(i)
  local group = redis.call('ZRANGE', KEYS[1], i, i)[1]
  return group, redis.call('HGET', KEYS[2], group)
end
local low, high, when = 0, redis.call('ZCARD', KEYS[1]), tonumber(ARGV[1])
local count = high
while low < high do
  local middle = math.floor((low + high) / 2)
  local _, e = at(middle)
  if parse(e).stored <= when then low = middle + 1 else high = middle end
end
local i = math.max(0, low - 1)
while i > 0 do
  local _, e = at(i)
  if parse(e).start == '1' then break end
  i = i - 1
end
local out = {}
while i < count and #out < 2 * tonumber(ARGV[2]) do
  local group, e = at(i)
  if parse(e).start == '1' then
    out[#out + 1] = group
    out[#out + 1] = e
  end
  i = i + 1
end
return out
`;

/** KEYS frames meta. Returns frames, bytes, sequence of the first and of the last frame; nothing if no frame is kept. */
export const DESCRIBE = `
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if not first then return {} end
local m = redis.call('HMGET', KEYS[2], 'bytes', 'goneBytes', 'last')
return { tostring(redis.call('XLEN', KEYS[1])), string.format('%.0f', tonumber(m[1]) - tonumber(m[2] or 0)),
  string.match(first[1], '^%d+'), m[3] }
`;
