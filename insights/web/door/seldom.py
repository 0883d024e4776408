"""What is said at most once in a while, however often it happens: a stranger must not fill the audit log."""

from __future__ import annotations

from collections import OrderedDict


class Seldom:
    """Remembers what was said of late, in this process.

    Parameters
    ----------
    every_ms : int
        Least time between two times that the same is said, ms.
    most : int
        So many different things are remembered; the oldest are forgotten first.

    Examples
    --------
    >>> seldom = Seldom(every_ms=1000, most=2)
    >>> [seldom.due("a", now_ms) for now_ms in (0, 999, 1000)]
    [True, False, True]
    """

    def __init__(self, every_ms: int, most: int = 10_000) -> None:
        self._every_ms, self._most = every_ms, most
        self._said: OrderedDict[str, int] = OrderedDict()

    def due(self, what: str, now_ms: int) -> bool:
        """Whether it is to be said now; if so, it is remembered as said."""
        if now_ms - self._said.get(what, -self._every_ms) < self._every_ms:
            return False
        self._said[what] = now_ms
        self._said.move_to_end(what)
        if len(self._said) > self._most:
            self._said.popitem(last=False)
        return True
