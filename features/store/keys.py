"""The names of all keys in Redis, in one place; the table in docs/architecture.md says what each holds.

A shard's keys begin with the same hash tag, ``{partition}``. Application and definition names are checked here, so the first brace of a
key is always the tag's; a user id stands last and may then hold any bytes.
"""

from __future__ import annotations

import re
from functools import lru_cache

PREFIX_VERSION = 1
"""Of this layout of keys; stored in the app's spec and refused when it differs."""
_APP = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_DEFINITION = re.compile(r"[a-z0-9_-]{1,32}")


@lru_cache(maxsize=256)
def app_prefix(app: str) -> str:
    """Return the beginning of every key of an app.

    Parameters
    ----------
    app : str
        1 to 64 letters, digits, ``_``, ``.`` or ``-``.

    Raises
    ------
    ValueError
        For any other name: a brace in it would take the place of the shard's hash tag.

    >>> app_prefix("shop")
    'cw:shop:'
    """
    if not _APP.fullmatch(app):
        raise ValueError(f"app name must be 1 to 64 letters, digits, '_', '.' or '-', got {app!r}")
    return f"cw:{app}:"


@lru_cache(maxsize=4096)
def shard_prefix(app: str, partition: int) -> str:
    """Return the beginning of every key of a shard; the braces are the hash tag of Redis Cluster.

    >>> shard_prefix("shop", 7)
    'cw:shop:{7}:'
    """
    return f"{app_prefix(app)}{{{partition}}}:"


def snap_name(definition: str, landmark_ms: int) -> str:
    """Return a list of pending snapshots, after the shard's prefix.

    Raises
    ------
    ValueError
        If the definition's name is not 1 to 32 characters of ``a-z0-9_-``.

    >>> snap_name("churn14", 300_000)
    'snap:churn14:300000'
    """
    return f"snap:{checked_definition(definition)}:{landmark_ms:d}"


@lru_cache(maxsize=256)
def checked_definition(name: str) -> str:
    """Return the name if it may stand in a key.

    >>> checked_definition("no:colon")
    Traceback (most recent call last):
    ValueError: definition name must be 1 to 32 characters of a-z, 0-9, '_' or '-', got 'no:colon'
    """
    if not _DEFINITION.fullmatch(name):
        raise ValueError(f"definition name must be 1 to 32 characters of a-z, 0-9, '_' or '-', got {name!r}")
    return name


def spec_key(app: str) -> str:
    """Return the key of the app-wide spec.

    >>> spec_key("shop")
    'cw:shop:spec'
    """
    return f"{app_prefix(app)}spec"
