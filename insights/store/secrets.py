"""Secrets that machines and browsers hold: how they are made, and what the store keeps of them."""

from __future__ import annotations

import hashlib
import secrets

BYTES = 32


def new_secret(prefix: str = "") -> str:
    """Return 256 random bits as text, fit for a header or a cookie.

    >>> len(new_secret("cw_"))
    46
    """
    return prefix + secrets.token_urlsafe(BYTES)


def hash_of(secret: str) -> str:
    """Return what is stored of a secret: sha256, 64 hex digits. Nobody guesses 256 random bits, so neither a salt nor a slow hash is needed.

    >>> hash_of("a")[:8]
    'ca978112'
    """
    return hashlib.sha256(secret.encode()).hexdigest()
