"""How much may one token ask for? Token buckets in memory, one for each token and process, around all of the API: pure ASGI.

A guard against a program that runs wild, not a quota: each process counts by itself, and a restart begins anew. Answers carry the headers `RateLimit`
and `RateLimit-Policy` of the IETF's draft (draft-ietf-httpapi-ratelimit-headers), and `Retry-After` on 429.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from insights.web.api.problems import Refused, problem

MOST_KEYS = 10_000
"""So many buckets are kept: there are fewer tokens."""


class Buckets:
    """Token buckets by key. Each holds `burst` and fills up at `rate` a second.

    >>> buckets = Buckets(rate=2, burst=3)
    >>> [buckets.take("ann", 1, 0.0) for _ in range(4)], buckets.take("bob", 1, 0.0), buckets.take("ann", 1, 0.5)
    ([0.0, 0.0, 0.0, 0.5], 0.0, 0.0)
    """

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst = rate, burst
        self._held: dict[str, tuple[float, float]] = {}

    def take(self, key: str, count: float, now_s: float) -> float:
        """Take `count` and return 0; or take nothing, and return in how many seconds so many will be there. More than `burst` counts as `burst`."""
        left = self.left(key, now_s) - min(count, self.burst)
        if left < 0:
            return -left / self.rate
        if key not in self._held and len(self._held) >= MOST_KEYS:
            self._held.pop(next(iter(self._held)))
        self._held[key] = (left, now_s)
        return 0.0

    def left(self, key: str, now_s: float) -> float:
        """Return how many a key may take now."""
        left, at_s = self._held.get(key, (self.burst, now_s))
        return min(self.burst, left + (now_s - at_s) * self.rate)


def whose(scope: Scope) -> str:
    """Return the key of whoever asks."""
    who = scope.get("state", {}).get("who")
    return "" if who is None else str(who.key)


class Limits:
    """Counts requests before they are looked at.

    Parameters
    ----------
    rate : int
        Requests a second; as many again may come at once.
    """

    def __init__(self, app: ASGIApp, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._app, self._clock = app, clock
        self._buckets = Buckets(rate, 2 * rate)
        self._policy = f'"requests";q={2 * rate};w=2'.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer that there were too many."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        key, now_s = whose(scope), self._clock()
        wait_s = self._buckets.take(key, 1, now_s)
        left = math.floor(self._buckets.left(key, now_s))
        headers = ((b"ratelimit-policy", self._policy), (b"ratelimit", b'"requests";r=%d;t=%d' % (left, math.ceil(wait_s) or 1)))

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        if wait_s:
            detail = "this token has asked too often in this moment: wait as long as Retry-After says, and ask for many users at once by POST /api/v1/risks"
            await problem(Refused("too-many", detail, retry_s=math.ceil(wait_s)))(scope, receive, add)
        else:
            await self._app(scope, receive, add)
