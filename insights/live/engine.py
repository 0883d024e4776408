"""What does the engine say of itself? Read from Redis: the spec, how far each shard has come, which model serves."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from threading import Lock

import msgspec
import redis

from features.store.app_spec import AppSpec
from features.store.redis import load_spec
from features.users.state import NEVER
from stream.ownership.stored import Metas, readable_metas
from stream.shard.meta import ShardMeta


class EngineView(msgspec.Struct, frozen=True):
    """The engine at one moment.

    Attributes
    ----------
    spec : AppSpec or None
        What the app was started with; None before the first worker.
    metas : dict of int to ShardMeta
        What each shard that has committed remembers of itself.
    reached : bool
        Whether Redis answered when it was last asked. If it did not, everything else is what it answered before.
    answered_ms : int
        When it last answered, by the clock on the wall, ms; 0 for never.
    unreadable : tuple of int
        Shards of which nothing can be said, since what they remember of themselves cannot be read. All figures are without them.
    """

    spec: AppSpec | None
    metas: dict[int, ShardMeta]
    reached: bool
    answered_ms: int
    unreadable: tuple[int, ...] = ()

    @property
    def as_of_ms(self) -> int | None:
        """Event time up to which every shard has come (the lowest watermark), ms; None before the first event."""
        if self.spec is None:
            return None
        lateness = self.spec.spec.lateness_ms
        marks = [mark for meta in self.metas.values() if (mark := meta.watermark_ms(lateness)) != NEVER]
        return min(marks, default=None)

    @property
    def newest_ms(self) -> int | None:
        """Event time of the newest event, ms."""
        return max((meta.max_ms for meta in self.metas.values() if meta.max_ms != NEVER), default=None)

    @property
    def zone(self) -> str:
        """IANA name of the zone that days follow."""
        return "UTC" if self.spec is None else self.spec.spec.timezone

    @property
    def definitions(self) -> tuple[str, ...]:
        """Names of the churn definitions, in the spec's order."""
        return () if self.spec is None else tuple(one.name for one in self.spec.spec.definitions)

    @property
    def totals(self) -> Counter[str]:
        """Records taken, by outcome."""
        found: Counter[str] = Counter()
        for meta in self.metas.values():
            found.update(meta.totals)
        return found


class Engine:
    """Asks Redis at most once in `FRESH_S` seconds, from whichever thread comes first.

    Parameters
    ----------
    client : redis.Redis
        Answers in bytes.
    app : str
        The workers' ``app.name``.
    now_ms : callable
        The clock on the wall, ms since the epoch.
    """

    FRESH_S = 1.0

    def __init__(self, client: redis.Redis, app: str, now_ms: Callable[[], int] = lambda: int(time.time() * 1000)) -> None:
        self.client, self.app, self._now_ms = client, app, now_ms
        self._asking, self._asked_at = Lock(), float("-inf")
        self._view = EngineView(None, {}, reached=False, answered_ms=0)

    def view(self) -> EngineView:
        """Return the engine as it was about a second ago. When Redis does not answer, the last view, marked as such.

        While one thread asks, the others have the view before: a Redis that hangs holds up one request, not all of them.
        """
        first = self._asked_at == float("-inf")
        if self._is_old() and self._asking.acquire(blocking=first):
            try:
                if self._is_old():
                    self._view = self._look()
                    self._asked_at = time.monotonic()
            finally:
                self._asking.release()
        return self._view

    def _is_old(self) -> bool:
        return time.monotonic() - self._asked_at >= self.FRESH_S

    def _look(self) -> EngineView:
        answered_ms = self._now_ms()
        try:
            spec = load_spec(self.client, self.app)
            metas = Metas({}, ()) if spec is None else readable_metas(self.client, self.app, spec.partitions)
        except redis.RedisError:
            return msgspec.structs.replace(self._view, reached=False)
        return EngineView(spec, metas.readable, reached=True, answered_ms=answered_ms, unreadable=metas.unreadable)
