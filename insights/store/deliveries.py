"""Has it been delivered? One row for each thing, period and recipient, whichever process delivers it.

::

    nothing ──claim──> claimed ──begin──> sending ──> sent
                         ^                   ├──> failed, tried again later ──claim──> ...
                         └─ the claim ended  └──> unsure: the process was gone meanwhile, or the server was

What was begun is never begun again, unless it surely failed: at most one arrives. What may be delivered again, since it takes the place of what it left before, is
claimed again in `unsure`, too.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from insights.store.tables import DELIVERIES
from insights.store.upsert import insert_into

MOST_TRIES = 6
FIRST_WAIT_MS = 60_000
"""After the first failure; twice as long after each further one."""


class Delivery(NamedTuple):
    """One row.

    Attributes
    ----------
    state : str
        `claimed`, `sending`, `sent`, `failed` or `unsure`.
    at_ms : int
        When it came into this state, ms.
    tries : int
        How often it has failed, or was given up.
    why : str
        One word for the last failure.
    """

    recipient: str
    state: str
    at_ms: int
    tries: int
    why: str

    @property
    def is_over(self) -> bool:
        """Whether nobody tries any more, of what may not be delivered again."""
        return self.state == "unsure" or self.is_settled

    @property
    def is_settled(self) -> bool:
        """Whether nobody tries any more, of what may be."""
        return self.state == "sent" or (self.state in {"failed", "unsure"} and self.tries >= MOST_TRIES)


def claim(db: Connection, what: str, period: str, recipient: str, by: str, now_ms: int, until_ms: int, *, repeatable: bool = False) -> bool:
    """Claim a delivery for a process, before anything is sent; return whether it has it now. What is `repeatable` is begun again though nobody knows what became of it."""
    mine = {"state": "claimed", "by": by, "until_ms": until_ms, "at_ms": now_ms}
    new = insert_into(db, DELIVERIES).values(what=what, period=period, recipient=recipient, tries=0, why="", **mine)
    free = or_(
        and_(DELIVERIES.c.state == "claimed", DELIVERIES.c.until_ms <= now_ms),
        and_(DELIVERIES.c.state == "failed", DELIVERIES.c.until_ms <= now_ms, DELIVERIES.c.tries < MOST_TRIES),
    )
    if repeatable:
        free = or_(free, and_(DELIVERIES.c.state == "unsure", DELIVERIES.c.tries < MOST_TRIES))
    taken = new.on_conflict_do_update(index_elements=["what", "period", "recipient"], set_=mine, where=free)
    return db.execute(taken.returning(DELIVERIES.c.what)).first() is not None


def begin(db: Connection, what: str, period: str, recipient: str, by: str, now_ms: int, until_ms: int) -> bool:
    """Say that it is sent from now on; return False when the claim has ended meanwhile, and then it must not be."""
    row = _row(what, period, recipient, by, "claimed") & (DELIVERIES.c.until_ms > now_ms)
    return db.execute(DELIVERIES.update().where(row).values(state="sending", at_ms=now_ms, until_ms=until_ms)).rowcount == 1


def end(db: Connection, what: str, period: str, recipient: str, by: str, now_ms: int, *, state: str, why: str = "") -> None:
    """Say what became of it: `sent`, `failed` or `unsure`. Whoever was taken for dead meanwhile may still say it."""
    row = _row(what, period, recipient, by, "claimed", "sending", "unsure")
    tries = db.execute(select(DELIVERIES.c.tries).where(row)).scalar_one_or_none()
    if tries is None:
        return
    values: dict[str, object] = {"state": state, "at_ms": now_ms, "why": why}
    if state == "failed":
        values |= {"tries": tries + 1, "until_ms": now_ms + (FIRST_WAIT_MS << tries)}
    db.execute(DELIVERIES.update().where(row).values(values))


def give_up_the_dead(db: Connection, now_ms: int) -> int:
    """Note as `unsure` what was being sent by processes that are gone; return how many."""
    gone = (DELIVERIES.c.state == "sending") & (DELIVERIES.c.until_ms <= now_ms)
    values = {"state": "unsure", "at_ms": now_ms, "why": "gone", "tries": DELIVERIES.c.tries + 1}
    return db.execute(DELIVERIES.update().where(gone).values(values)).rowcount


def deliveries(db: Connection, what: str, period: str) -> dict[str, Delivery]:
    """Return what is known of one period, by recipient."""
    wanted = select(*(DELIVERIES.c[name] for name in Delivery._fields)).where(DELIVERIES.c.what == what, DELIVERIES.c.period == period)
    return {row.recipient: Delivery(*row) for row in db.execute(wanted)}


def known_since(db: Connection, what: str, now_ms: int) -> int:
    """Return since when a thing is known, ms: what was due before that is nobody's."""
    new = insert_into(db, DELIVERIES).values(
        what=what, period="", recipient="", state="known", by="", until_ms=0, at_ms=now_ms, tries=0, why=""
    )
    db.execute(new.on_conflict_do_nothing(index_elements=["what", "period", "recipient"]))
    since = since_of(db, what)
    return now_ms if since is None else since


def since_of(db: Connection, what: str) -> int | None:
    """Return since when a thing is known, ms; None before."""
    return db.execute(select(DELIVERIES.c.at_ms).where(DELIVERIES.c.what == what, DELIVERIES.c.period == "")).scalar_one_or_none()


def forget(db: Connection, before_ms: int) -> int:
    """Delete what came into its state before a time, ms, but not since when things are known; return how many."""
    return db.execute(DELIVERIES.delete().where(DELIVERIES.c.at_ms < before_ms, DELIVERIES.c.state != "known")).rowcount


def _row(what: str, period: str, recipient: str, by: str, *states: str) -> ColumnElement[bool]:
    here = (DELIVERIES.c.what == what) & (DELIVERIES.c.period == period) & (DELIVERIES.c.recipient == recipient)
    return here & (DELIVERIES.c.by == by) & DELIVERIES.c.state.in_(states)
