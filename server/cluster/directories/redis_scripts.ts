/**
 * What a node does at Redis, in one step each. All times are those of Redis: the clocks of the nodes do not matter.
 *
 * @module
 */

/**
 * Renews the lease of a node, and lists all nodes. A hop id that another node with another URL holds is not taken from it.
 * KEYS: the index, the key of the node. ARGV: lease in milliseconds, hop id ("" for a node that only reads), JSON of the node, its
 * instance, its URL, what the keys of nodes begin with, most nodes, most bytes of a node, channel, "1" to tell the others.
 * Answer: what stood at the key before ("none", "own", "other", "taken"), then hop id and JSON of each node.
 */
export const BEAT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease, hop, most, size = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[7]), tonumber(ARGV[8])
local function read(key)
  local length = redis.pcall('STRLEN', key)
  if type(length) ~= 'number' or length == 0 or length > size then return nil end
  return redis.call('GET', key)
end
local was = 'none'
if hop ~= '' then
  local since = now
  local held = read(KEYS[2])
  if held then
    was = 'other'
    local whole, other = pcall(cjson.decode, held)
    if whole and type(other) == 'table' then
      if other.instance == ARGV[4] then
        was = 'own'
        since = tonumber(other.since) or now
      elseif type(other.url) == 'string' and other.url ~= ARGV[5] then
        was = 'taken'
      end
    end
  end
  if was ~= 'taken' then
    local value = '{"since":' .. string.format('%.0f', since) .. ',' .. string.sub(ARGV[3], 2)
    redis.call('SET', KEYS[2], value, 'PX', lease)
    redis.call('ZADD', KEYS[1], string.format('%.0f', now), hop)
    if was ~= 'own' or ARGV[10] == '1' then redis.call('PUBLISH', ARGV[9], hop) end
  end
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - 10 * lease))
  redis.call('ZREMRANGEBYSCORE', KEYS[1], string.format('(%.0f', now + 10 * lease), '+inf')
end
local hops = redis.call('ZREVRANGE', KEYS[1], 0, most - 1)
local answer = { was }
for _, each in ipairs(hops) do
  local value = read(ARGV[6] .. each)
  if value then
    answer[#answer + 1] = each
    answer[#answer + 1] = value
  end
end
return answer`;

/** Takes a node out. KEYS: the index, the key of the node. ARGV: hop id, instance, channel. */
export const LEAVE = `
local held = redis.pcall('GET', KEYS[2])
if type(held) ~= 'string' then return 0 end
local whole, other = pcall(cjson.decode, held)
if not whole or type(other) ~= 'table' or other.instance ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[2])
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('PUBLISH', ARGV[3], ARGV[1])
return 1`;
