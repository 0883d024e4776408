"""Who did what, and when: logins, and all that changes who may look. Lines are added and, when old, dropped; none is changed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from insights.store.tables import AUDIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line.

    Attributes
    ----------
    at_ms : int
        When, ms since the epoch.
    who, what, about : str
        Who did it (a login, or "token NAME"), the deed in one word, and what it was about.
    address : str
        Where the request came from.
    """

    id: int
    at_ms: int
    who: str
    what: str
    about: str
    address: str


def note(db: Connection, *, at_ms: int, who: str, what: str, about: str = "", address: str = "") -> None:
    """Add a line; what is too long is cut. Do it in the transaction of the deed itself."""
    values = {"who": who[:256], "what": what[:64], "about": about[:512], "address": address[:64]}
    db.execute(AUDIT.insert().values(at_ms=at_ms, **values))


def newest_lines(
    db: Connection, limit: int = 100, before: int | None = None, *, who: str = "", what: str = "", about: str = ""
) -> list[Line]:
    """Return the newest lines, newest first.

    Parameters
    ----------
    before : int, optional
        Only lines with a smaller number: the next page.
    who, about : str
        Only lines in which this stands there, in any case; "" for all.
    what : str
        Only deeds of this name; "" for all.
    """
    wanted = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(AUDIT.c.id < before)
    if what:
        wanted = wanted.where(AUDIT.c.what == what)
    for column, part in ((AUDIT.c.who, who), (AUDIT.c.about, about)):
        if part:
            wanted = wanted.where(column.icontains(part, autoescape=True))
    return [Line(**row) for row in db.execute(wanted).mappings()]


def forget_lines(db: Connection, before_ms: int) -> int:
    """Delete the lines from before a time, ms; return how many."""
    return db.execute(AUDIT.delete().where(AUDIT.c.at_ms < before_ms)).rowcount
