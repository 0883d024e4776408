"""How many streams are open, and whose are they? Each holds a connection, so they are counted apart from requests."""

from __future__ import annotations

from collections import Counter

from insights.web.api.problems import Refused

MOST_OF_ONE, MOST = 16, 128
"""Streams that one token, and all together, may have open: each holds a connection, and a server has some five hundred."""


class Streams:
    """Counts the open streams by whose they are.

    >>> streams = Streams()
    >>> streams.take("ann"), streams.free("ann"), streams.open
    (None, None, Counter())
    """

    def __init__(self) -> None:
        self.open: Counter[str] = Counter()

    def take(self, key: str) -> None:
        """Count one more. Raises Refused when there are enough."""
        if self.open[key] >= MOST_OF_ONE or self.open.total() >= MOST:
            raise Refused("too-many", f"close another stream first: a token may have {MOST_OF_ONE} open, all together {MOST}", retry_s=10)
        self.open[key] += 1

    def free(self, key: str) -> None:
        """Count one less."""
        self.open[key] -= 1
        self.open += Counter()  # drops zeros
