"""Is this their password? Kept as argon2id, and always with the same work, so that the time taken does not say whether there is such a person."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from insights.web.door.not_done import NotDone

LEAST, MOST = 12, 256
"""Characters of a password."""
AT_ONCE, WAITING = 2, 32
"""Passwords that are looked at together, each of which takes 19 MiB and some hundredths of a second, and how many more may wait."""
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""What OWASP's Password Storage Cheat Sheet asks of argon2id at least."""


class Busy(Exception):
    """So many passwords are being looked at that this one is not."""


def hashed(password: str) -> str:
    """Return what is stored of a password.

    Raises
    ------
    NotDone
        It is too short, or too long.
    """
    plain = _plain(password)
    if not LEAST <= len(plain) <= MOST:
        raise NotDone("not_done.password", least=LEAST, most=MOST)
    return _HASHER.hash(plain)


def holds(stored: str | None, password: str) -> bool:
    """Whether a password is the one that was stored. For nobody, whose hash is None, it takes as long and is False.

    >>> holds(hashed("four plain little words"), "four plain little words"), holds(None, "four plain little words")
    (True, False)
    """
    try:
        _HASHER.verify(stored or _nobodys(), _plain(password)[:MOST])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


class Passwords:
    """Looks at passwords beside the requests, a few at a time.

    Attributes
    ----------
    asked : int
        How many are being looked at, or wait for it.
    """

    def __init__(self, look: Callable[[str | None, str], bool] = holds) -> None:
        self._look, self._threads = look, ThreadPoolExecutor(AT_ONCE, "password")
        self.asked = 0

    async def holds(self, stored: str | None, password: str) -> bool:
        """See the function.

        Raises
        ------
        Busy
        """
        if self.asked >= AT_ONCE + WAITING:
            raise Busy
        self.asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._look, stored, password)
        finally:
            self.asked -= 1


def _plain(password: str) -> str:
    """Return a password as it is hashed: two keyboards may write one character by different code points (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody's password")
