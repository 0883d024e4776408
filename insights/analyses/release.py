"""What is a release? A name, an instant, whom it touched: read from a text as somebody writes it, or as the settings have it.

As text: the name, then ``at=`` and, if need be, ``kind=`` and ``touched=``, with commas between: ``2.0,at=2026-03-01T06:00,touched=props.version=2.0``.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from insights.analyses.match import Where, where_of
from stream.faults import UsageFault

KINDS = ("release", "campaign")
"""As the settings have them."""


class Release(NamedTuple):
    """One of them.

    Attributes
    ----------
    name : str
    at : datetime
    is_campaign : bool
        A campaign chooses whom it goes to, so without a hold-out nothing can be said of its effect.
    touched : Where or None
        A condition on events, by which is known whom it reached; None: everybody.
    """

    name: str
    at: datetime
    is_campaign: bool = False
    touched: Where | None = None


def release_of(text: str, zone: str) -> Release:
    """Read a release; a day begins at its midnight in the zone.

    Raises
    ------
    stream.faults.UsageFault
        If it is none.

    >>> one = release_of("2.0,at=2026-03-01,touched=props.version=2.0", "Asia/Shanghai")
    >>> one.name, one.at.isoformat(), one.is_campaign, one.touched
    ('2.0', '2026-03-01T00:00:00+08:00', False, Where(field='props.version', op='=', value='2.0'))
    """
    name, *parts = text.split(",")
    given = {key.strip(): value.strip() for key, _, value in (part.partition("=") for part in parts)}
    unknown = given.keys() - {"at", "kind", "touched"}
    kind = given.get("kind", "release")
    if not name.strip() or unknown or kind not in KINDS:
        raise UsageFault(
            "{text!r} is no release: write its name, at=, and if need be kind= ({kinds}) and touched=, "
            "as in 2.0,at=2026-03-01 or sale,at=2026-03-01T06:00,kind=campaign",
            text=text,
            kinds=", ".join(KINDS),
        )
    try:
        at = datetime.fromisoformat(given.get("at", ""))
    except ValueError:
        raise UsageFault(
            "{text!r} says no time: write a day or an instant, as in 2.0,at=2026-03-01 or sale,at=2026-03-01T06:00,kind=campaign", text=text
        ) from None
    touched = where_of(given["touched"]) if given.get("touched") else None
    return Release(name.strip(), at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone)), kind == "campaign", touched)
