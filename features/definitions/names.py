"""The one rule for the names of apps and of churn definitions, which stand in keys, topics and metrics."""

from __future__ import annotations

import re
from functools import lru_cache

_NAME = re.compile(r"[a-z0-9_-]{1,32}")


@lru_cache(maxsize=256)
def checked_name(of: str, name: str) -> str:
    """Return the name if it may stand in a key. A brace may not, because it would be taken for a shard's hash tag; nor may a colon.

    Parameters
    ----------
    of : str
        What it is the name of, for the message.

    Raises
    ------
    ValueError
        If the name is not 1 to 32 of the characters a-z, 0-9, _ and -.

    >>> checked_name("definition name", "no:colon")
    Traceback (most recent call last):
    ValueError: definition name must be 1 to 32 of a-z, 0-9, _ and -, got 'no:colon'
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{of} must be 1 to 32 of a-z, 0-9, _ and -, got {name!r}")
    return name
