"""Which machines may ask the API, by tokens. A token's secret is shown once, when it is made; the store has its hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, or_, select

from insights.store.roles import Role
from insights.store.secrets import hash_of, new_secret
from insights.store.tables import TOKENS

PREFIX = "cw_"
SHOWN = 9
"""So many characters of a secret are kept, to tell tokens apart; the rest still holds more than 200 random bits."""
USED_EVERY_MS = 60_000
"""The time of the last use is written at most so often, because a write per request would cost more than the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One token.

    Attributes
    ----------
    hash, prefix : str
        sha256 of the secret, and its first characters.
    scopes : tuple of str
        What it may be used for.
    created_ms, expires_ms, revoked_ms, last_used_ms : int, or int or None
        Times, ms since the epoch; None for never.
    """

    id: int
    name: str
    hash: str
    prefix: str
    scopes: tuple[str, ...]
    role: Role
    created_ms: int
    expires_ms: int | None
    revoked_ms: int | None
    last_used_ms: int | None

    def holds(self, now_ms: int) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked_ms is None and (self.expires_ms is None or now_ms < self.expires_ms)


def new_token(
    db: Connection, *, name: str, scopes: Sequence[str], role: Role, now_ms: int, expires_ms: int | None = None
) -> tuple[Token, str]:
    """Make a token; return it, and its secret, which cannot be had again."""
    secret = new_secret(PREFIX)
    values = {
        "name": name, "hash": hash_of(secret), "prefix": secret[:SHOWN], "scopes": " ".join(scopes), "role": role,
        "created_ms": now_ms, "expires_ms": expires_ms,
    }  # fmt: skip
    return _token(db.execute(TOKENS.insert().values(values).returning(TOKENS)).mappings().one()), secret


def token_of(db: Connection, secret: str, now_ms: int) -> Token | None:
    """Return the token with a secret; None when there is none, or it holds no more."""
    row = db.execute(select(TOKENS).where(TOKENS.c.hash == hash_of(secret))).mappings().one_or_none()
    if row is None:
        return None
    found = _token(row)
    return found if found.holds(now_ms) else None


def used(db: Connection, token: Token, now_ms: int) -> None:
    """Write down that a token was used now, unless that was done within `USED_EVERY_MS`."""
    last = TOKENS.c.last_used_ms
    due = or_(last.is_(None), last <= now_ms - USED_EVERY_MS)
    db.execute(TOKENS.update().where(TOKENS.c.id == token.id, due).values(last_used_ms=now_ms))


def token(db: Connection, token_id: int) -> Token | None:
    """Return the token with a number."""
    row = db.execute(select(TOKENS).where(TOKENS.c.id == token_id)).mappings().one_or_none()
    return None if row is None else _token(row)


def tokens(db: Connection) -> list[Token]:
    """Return all tokens, newest first; those that hold no more are among them."""
    return [_token(row) for row in db.execute(select(TOKENS).order_by(TOKENS.c.id.desc())).mappings()]


def revoke(db: Connection, token_id: int, now_ms: int) -> bool:
    """End a token at once; return whether there was one to end."""
    done = db.execute(TOKENS.update().where(TOKENS.c.id == token_id, TOKENS.c.revoked_ms.is_(None)).values(revoked_ms=now_ms))
    return done.rowcount == 1


def _token(row: RowMapping) -> Token:
    return Token(**{**row, "scopes": tuple(row["scopes"].split())})
