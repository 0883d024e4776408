-- Become the owner of a shard.
-- KEYS: 1 owner (hash: epoch, nonce, generation)   2 meta (hash: commit_no, meta)   3 outbox (stream)   4 exbox (stream)
-- ARGV: 1 generation of the caller's group   2 force ("1" or "0")   3 nonce   4 prefix of the wheel's keys   5 number of buckets
-- Returns {0, stored generation} when refused, else {1, epoch, commit_no, meta or false, outbox, exbox, {bucket, count, ...}}.
local stored = tonumber(redis.call('HGET', KEYS[1], 'generation') or '-1')
if tonumber(ARGV[1]) < stored and ARGV[2] ~= '1' then
  return {0, stored}
end
local epoch = tonumber(redis.call('HGET', KEYS[1], 'epoch') or '0') + 1
redis.call('HSET', KEYS[1], 'epoch', epoch, 'nonce', ARGV[3], 'generation', ARGV[1])
local number = tonumber(redis.call('HGET', KEYS[2], 'commit_no') or '0')
local wheel = {}
for bucket = 0, tonumber(ARGV[5]) - 1 do
  local count = redis.call('SCARD', ARGV[4] .. bucket)
  if count > 0 then
    wheel[#wheel + 1] = bucket
    wheel[#wheel + 1] = count
  end
end
return {1, epoch, number, redis.call('HGET', KEYS[2], 'meta'),
  redis.call('XRANGE', KEYS[3], '-', '+'), redis.call('XRANGE', KEYS[4], '-', '+'), wheel}
