-- One commit of a shard: all checks first, then absolute values, the number last.
-- KEYS: 1 owner (hash: epoch, nonce, generation)   2 meta (hash: commit_no, meta)   3 outbox (stream)   4 exbox (stream)
-- All other keys carry the same tag and are named in ARGV: u:<user> strings, wheel:<bucket> sets, snap:<def>:<landmark> lists,
-- feat:<user> hashes. They are made of the prefix in ARGV[5], so that the client sends no prefix twice but for the users' keys.
-- ARGV: 1 epoch  2 nonce  3 commit_no expected  4 meta  5 prefix  6 outbox trim id or ''  7 exbox trim id or ''
--       8.. counts: users, armed, disarmed, snaps, matured, outbox, exbox, mirror   then the items of each in that order:
--       users: key, state   armed/disarmed: bucket, how many, members...   snaps: name, chunk   matured: name
--       outbox/exbox: id, entry   mirror: user, how many pairs, field, value...
-- Returns 1 when applied, 2 when this very commit had been applied before, 0 and a reason when refused.
local owner = redis.call('HMGET', KEYS[1], 'epoch', 'nonce')
if owner[1] ~= ARGV[1] or owner[2] ~= ARGV[2] then
  return {0, 'token'}
end
local stored = tonumber(redis.call('HGET', KEYS[2], 'commit_no') or '0')
local expected = tonumber(ARGV[3])
if stored == expected + 1 then
  return {2, ''}
end
if stored ~= expected then
  return {0, 'commit number ' .. stored .. ', expected ' .. expected}
end
local prefix = ARGV[5]
local at = 16

local last = at + 2 * tonumber(ARGV[8]) - 1
while at <= last do -- unpack takes fewer than 8,000 arguments
  local stop = math.min(at + 5999, last)
  redis.call('MSET', unpack(ARGV, at, stop))
  at = stop + 1
end
for _ = 1, tonumber(ARGV[9]) do
  local key, left = prefix .. 'wheel:' .. ARGV[at], tonumber(ARGV[at + 1])
  at = at + 2
  while left > 0 do
    local n = math.min(left, 5000)
    redis.call('SADD', key, unpack(ARGV, at, at + n - 1))
    at, left = at + n, left - n
  end
end
for _ = 1, tonumber(ARGV[10]) do
  local key, left = prefix .. 'wheel:' .. ARGV[at], tonumber(ARGV[at + 1])
  at = at + 2
  while left > 0 do
    local n = math.min(left, 5000)
    redis.call('SREM', key, unpack(ARGV, at, at + n - 1))
    at, left = at + n, left - n
  end
end
for _ = 1, tonumber(ARGV[11]) do
  redis.call('RPUSH', prefix .. 'snap:' .. ARGV[at], ARGV[at + 1])
  at = at + 2
end
for _ = 1, tonumber(ARGV[12]) do
  redis.call('DEL', prefix .. 'snap:' .. ARGV[at])
  at = at + 1
end
for box = 0, 1 do
  if ARGV[6 + box] ~= '' then
    -- MINID keeps the id itself: the caller names the first id to keep
    redis.call('XTRIM', KEYS[3 + box], 'MINID', ARGV[6 + box])
  end
  for _ = 1, tonumber(ARGV[13 + box]) do
    redis.call('XADD', KEYS[3 + box], ARGV[at], 'e', ARGV[at + 1])
    at = at + 2
  end
end
for _ = 1, tonumber(ARGV[15]) do
  local key, pairs_left = prefix .. 'feat:' .. ARGV[at], tonumber(ARGV[at + 1])
  redis.call('HSET', key, unpack(ARGV, at + 2, at + 1 + 2 * pairs_left))
  at = at + 2 + 2 * pairs_left
end
redis.call('HSET', KEYS[2], 'meta', ARGV[4], 'commit_no', expected + 1)
return {1, ''}
