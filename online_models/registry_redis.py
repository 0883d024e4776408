"""The registry in Redis. One trainer writes all of it, with one script, so that a save is atomic.

Keys (`features.store.keys.AppKeys`): `trainer` (hash: epoch, nonce, commit_no, checkpoint), `models` of a definition (hash: number ->
learned_until_ms), each `version` (string: the sealed model) and the `wish` (hash: version, candidate). The script that saves makes the names of
the last two from that of `models`.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import redis

from features.store.keys import app_keys
from online_models.registry import KEEP, Claim, RegistryStale, Save, Wish

_CLAIM = """
-- KEYS: 1 trainer (hash)   ARGV: 1 nonce
local epoch = tonumber(redis.call('HGET', KEYS[1], 'epoch') or '0') + 1
redis.call('HSET', KEYS[1], 'epoch', epoch, 'nonce', ARGV[1])
local got = redis.call('HMGET', KEYS[1], 'commit_no', 'checkpoint')
return {epoch, tonumber(got[1] or '0'), got[2]}
"""

_SAVE = """
-- KEYS: 1 trainer (hash), then for each version: its definition's index (hash), its own key (string)
-- ARGV: 1 epoch  2 nonce  3 commit_no expected  4 checkpoint  5 versions kept, then for each: number, learned_until_ms, sealed
local owner = redis.call('HMGET', KEYS[1], 'epoch', 'nonce', 'commit_no')
if owner[1] ~= ARGV[1] or owner[2] ~= ARGV[2] then return 'another trainer has taken over' end
local stored, expected = tonumber(owner[3] or '0'), tonumber(ARGV[3])
if stored == expected + 1 then return 2 end
if stored ~= expected then return 'commit number ' .. stored .. ', expected ' .. expected end
local at = 6
for i = 2, #KEYS, 2 do
  redis.call('SET', KEYS[i + 1], ARGV[at + 2])
  redis.call('HSET', KEYS[i], ARGV[at], ARGV[at + 1])
  local oldest = tonumber(ARGV[at]) - tonumber(ARGV[5])
  local wanted = redis.call('HGET', KEYS[i] .. ':wish', 'version')
  for _, number in ipairs(redis.call('HKEYS', KEYS[i])) do
    if tonumber(number) <= oldest and number ~= wanted then
      redis.call('HDEL', KEYS[i], number)
      redis.call('DEL', KEYS[i] .. ':' .. number)
    end
  end
  at = at + 3
end
redis.call('HSET', KEYS[1], 'checkpoint', ARGV[4], 'commit_no', expected + 1)
return 1
"""


class RedisRegistry:
    """See `online_models.registry.Registry`. Calls block, so within an event loop run them in a thread."""

    def __init__(self, client: redis.Redis, app: str) -> None:
        self.client, self._keys = client, app_keys(app)
        self._claim = client.register_script(_CLAIM)
        self._save = client.register_script(_SAVE)

    def claim(self) -> Claim:
        """See `Registry`."""
        nonce = secrets.token_hex(8)
        epoch, number, checkpoint = self._claim(keys=[self._keys.trainer], args=[nonce])
        return Claim(int(epoch), nonce, int(number), checkpoint)

    def save(self, save: Save) -> None:
        """See `Registry`."""
        keys = [self._keys.trainer]
        args: list[str | int | bytes] = [save.claim.epoch, save.claim.nonce, save.commit_no, save.checkpoint, KEEP]
        for version in save.versions:
            keys += [self._keys.models(version.definition), self._keys.version(version.definition, version.number)]
            args += [version.number, version.learned_until_ms, version.sealed]
        answer: Any = self._save(keys=keys, args=args)
        if isinstance(answer, bytes):
            raise RegistryStale(answer.decode())

    def versions(self, definition: str) -> Mapping[int, int]:
        """See `Registry`."""
        found: Any = self.client.hgetall(self._keys.models(definition))
        return {int(number): int(until) for number, until in found.items()}

    def load(self, definition: str, number: int) -> bytes | None:
        """See `Registry`."""
        found: Any = self.client.get(self._keys.version(definition, number))
        return found if found is None else bytes(found)

    def wish(self, definition: str) -> Wish:
        """See `Registry`."""
        found: Any = self.client.hgetall(self._keys.wish(definition))
        return Wish(int(found.get(b"version", 0)), found.get(b"candidate", b"").decode())

    def ask(self, definition: str, wish: Wish) -> None:
        """See `Registry`."""
        self.client.hset(self._keys.wish(definition), mapping={"version": wish.version, "candidate": wish.candidate})
