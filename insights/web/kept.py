"""What was put together a moment ago and asked for again: many tabs show the same page, and only the first one has to pay for it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")
MOST = 64
"""Pages that are kept: each is some 100 kB."""


class Kept:
    """The last pages, by all that they depend on. Threads may share it; two that ask at once for the same both make it."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self._lock = most, Lock()
        self._pages: dict[Hashable, Any] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what was made under a key, or make it; the one that was not asked for the longest is forgotten.

        >>> kept = Kept(most=1)
        >>> kept.get("a", lambda: 1), kept.get("a", lambda: 2), kept.get("b", lambda: 3), kept.get("a", lambda: 4)
        (1, 1, 3, 4)
        """
        with self._lock:
            if key in self._pages:
                self._pages[key] = found = self._pages.pop(key)
                return found  # type: ignore[no-any-return]  # of this key it is what `make` returns
        made = make()
        with self._lock:
            self._pages[key] = made
            while len(self._pages) > self._most:
                del self._pages[next(iter(self._pages))]
        return made
