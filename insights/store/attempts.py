"""How often somebody may try, such as to log in; the same limit for all processes that share the store.

Each key has one number, the time until which it has paid for its tries. A try costs ``window / most`` ms, from now or from that time on, whichever
is later, and is refused when the key would have paid further than a window ahead. So `most` tries may come at once, and after them one each
``window / most`` ms (the generic cell rate algorithm, ITU-T I.371). It is one statement, so two processes cannot both take the last try.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, case, select

from insights.store.secrets import hash_of
from insights.store.tables import ATTEMPTS
from insights.store.upsert import insert_into


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries in so many milliseconds.

    >>> Limit(5, 60_000).cost_ms
    12000
    """

    most: int
    window_ms: int

    @property
    def cost_ms(self) -> int:
        """Milliseconds that a try costs."""
        return self.window_ms // self.most


def attempt(db: Connection, key: str, limit: Limit, now_ms: int) -> int:
    """Take one try.

    Parameters
    ----------
    key : str
        What is limited, such as a login or an address. Its hash is stored: what strangers type stays out of the store.

    Returns
    -------
    int
        0 if they may try now, else the milliseconds until they may.
    """
    hashed, paid = hash_of(key), ATTEMPTS.c.paid_until_ms
    start = case((paid > now_ms, paid), else_=now_ms)
    done = db.execute(
        insert_into(db, ATTEMPTS)
        .values(key=hashed, paid_until_ms=now_ms + limit.cost_ms)
        .on_conflict_do_update(
            index_elements=[ATTEMPTS.c.key],
            set_={"paid_until_ms": start + limit.cost_ms},
            where=start + limit.cost_ms <= now_ms + limit.window_ms,
        )
        .returning(paid)
    ).one_or_none()
    if done is not None:
        return 0
    paid_until: int = db.execute(select(paid).where(ATTEMPTS.c.key == hashed)).scalar_one()
    return paid_until + limit.cost_ms - limit.window_ms - now_ms


def forgive(db: Connection, key: str) -> None:
    """Forget the tries of a key, once one has succeeded."""
    db.execute(ATTEMPTS.delete().where(ATTEMPTS.c.key == hash_of(key)))


def forget_attempts(db: Connection, now_ms: int) -> int:
    """Delete the keys that may try as if they never had; return how many. Without this, strangers would fill the table."""
    return db.execute(ATTEMPTS.delete().where(ATTEMPTS.c.paid_until_ms <= now_ms)).rowcount
