"""Who is one person, said plainly: from one alias event to the next, each id is asked anew where it leads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Told(NamedTuple):
    """An alias event: `user` was `previous` before."""

    previous: str
    user: str
    ts_ms: int
    off: int


def persons(told: Sequence[Told]) -> dict[str, str]:
    """Return the person of each id that counts under another."""
    leads: dict[str, str] = {}

    def person(one: str) -> str:
        return person(leads[one]) if one in leads else one

    for each in sorted(told, key=lambda one: (one.ts_ms, one.off)):
        if each.previous not in leads and person(each.user) != each.previous:
            leads[each.previous] = each.user
    return {one: person(one) for one in leads}
