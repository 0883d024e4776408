"""The one rule for names that stand in keys, topics and metrics: those of apps and of churn definitions."""

from __future__ import annotations

import re
from functools import lru_cache

_NAME = re.compile(r"[a-z0-9_-]{1,32}")


@lru_cache(maxsize=256)
def checked_name(of: str, name: str) -> str:
    """Return the name if it may stand in a key: no brace, which would take the place of a shard's hash tag, and no colon.

    Parameters
    ----------
    of : str
        What it is the name of, for the message.

    Raises
    ------
    ValueError

    >>> checked_name("definition name", "no:colon")
    Traceback (most recent call last):
    ValueError: definition name must be 1 to 32 of a-z, 0-9, _ and -, got 'no:colon'
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{of} must be 1 to 32 of a-z, 0-9, _ and -, got {name!r}")
    return name
