-- Become the owner of a shard.
--
-- KEYS  1 owner   hash: epoch, nonce, generation, server (run id of the server that made the take), rebuild (when it was asked for)
--       2 meta    hash: commit_no, meta
--       3 outbox  stream
--       4 exbox   stream
--       5 gone    hash: digests of erased users
--       The wheel's sets are named from ARGV 4; they carry the same hash tag.
-- ARGV  1 generation of the caller's group   2 '1' to ignore the stored one   3 nonce
--       4 prefix of the wheel's keys         5 number of buckets
--
-- Returns {0, stored generation} when refused, else
-- {1, epoch, commit_no, meta or nil, outbox entries, exbox entries, {bucket, count, bucket, count, ...} of buckets that are not empty, all of gone}, or
-- {2, epoch, rebuild} when the shard is to be made again: what is damaged of it is not looked at.
-- The same call again (same nonce, same server) changes nothing and returns the same: a lost answer costs no epoch.

local server = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local owner = redis.call('HMGET', KEYS[1], 'epoch', 'nonce', 'generation', 'server')
local epoch = tonumber(owner[1] or '0')
if owner[2] ~= ARGV[3] or owner[4] ~= server then
  if owner[3] and tonumber(ARGV[1]) < tonumber(owner[3]) and ARGV[2] ~= '1' then
    return {0, tonumber(owner[3])}
  end
  epoch = epoch + 1
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'nonce', ARGV[3], 'generation', ARGV[1], 'server', server)
end

local rebuild = redis.call('HGET', KEYS[1], 'rebuild')
if rebuild then
  return {2, epoch, rebuild}
end

local wheel = {}
for bucket = 0, tonumber(ARGV[5]) - 1 do
  local count = redis.call('SCARD', ARGV[4] .. bucket)
  if count > 0 then
    wheel[#wheel + 1] = bucket
    wheel[#wheel + 1] = count
  end
end
local shard = redis.call('HMGET', KEYS[2], 'commit_no', 'meta')
return {1, epoch, tonumber(shard[1] or '0'), shard[2],
  redis.call('XRANGE', KEYS[3], '-', '+'), redis.call('XRANGE', KEYS[4], '-', '+'), wheel, redis.call('HGETALL', KEYS[5])}
