"""A kept question as an address of the page Explore, and back: what stands after its "?"."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

import msgspec

from insights.analyses.plain import Cell, Entry
from insights.asked.questions import cell_of, entry_named, given_of, read
from insights.made.things import Question, Shown
from insights.web.explore.shown import cell_text

_OWN = frozenset({"analysis", "users", "again", "lang", "theme"})


def query_of(analysis: str, parameters: Mapping[str, object], cell: Cell | None = None) -> str:
    """Return the address of a question, and of the people behind a cell of its answer.

    >>> query_of("retention", {"unit": "week", "brackets": ["1", "7"], "by": None}, Cell(metric="overall", k=7))
    'analysis=retention&unit=week&brackets=1&brackets=7&users=metric%3Doverall%2Ck%3D7'
    """
    given = {name: str(value).lower() if isinstance(value, bool) else value for name, value in parameters.items() if _says(value)}
    users = {} if cell is None else {"users": cell_text(cell)}
    return urlencode({"analysis": analysis, **given, **users}, doseq=True)


def _says(value: object) -> bool:
    return not (value is None or value is False or value in ("", (), []))


def question_of(query: str, entries: Mapping[str, Entry], *, title: str, shown: Shown, newest: bool = False) -> Question:
    """Return the question of an address. Only what it gives is kept, so that what is left to the analysis follows it.

    Parameters
    ----------
    newest : bool
        Of a number: that of whichever cohort is the newest, not that of the one in the address.

    Raises
    ------
    UsageFault
        If it is none.
    """
    pairs = parse_qsl(query)
    named = dict(pairs)
    entry = entry_named(named.get("analysis", ""), entries)
    given = given_of(entry, [pair for pair in pairs if pair[0] not in _OWN])
    whole = read(entry, given)
    cell = cell_of(named["users"], entry) if shown == "number" and "users" in named else None
    if cell is not None and newest:
        cell = msgspec.structs.replace(cell, cohort=None)
    parameters = {name: list(value) if isinstance(value := whole[name], tuple) else value for name in given}
    return Question(title=title.strip(), analysis=entry.name, parameters=parameters, shown=shown, cell=cell)
