"""How far a history is: what every commit says of itself beside its rows, and carries on from the commit before.

It stands in the metadata of the commit, so one look at the newest commit tells how far everything is. What decides is the table's own
`txn` entry of each source; the two are compared whenever a table is opened.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

KEY = "churnwatch"


@dataclass(frozen=True, slots=True)
class Standing:
    """What has been read and seen up to a commit.

    Attributes
    ----------
    ends : dict of str to int
        Of each partition, by the name of its source `clicks/<topic id>/<partition>`, the next offset.
    newest_ms : dict of str to int
        Of each source, the running maximum of min(event time, arrival), in ms since the epoch. For a partition this is M of docs/architecture.md.
    rows, repeats, late : int
        Events kept, repeats dropped, and events kept that were late as the engine counts it.
    rejected : dict of str to int
        By reason, what could not be an event.
    erased : int
        Rows of erased users that were removed, or not written at all.
    lost : int
        Offsets that retention had deleted before they were read; of scores and outcomes, missing numbers of examples.
    watermark_ms : int or None
        Up to this time all is known, ms since the epoch.
    complete_from_ms : int or None
        From this time on the log is complete; None if it is from its beginning.
    aliased : int or None
        The version of the table of events by which the newest `alias` event came, 0 if there is none; None in a history of an older build, which did not look.
    """

    ends: dict[str, int] = field(default_factory=dict)
    newest_ms: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    repeats: int = 0
    late: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    watermark_ms: int | None = None
    complete_from_ms: int | None = None
    erased: int = 0
    aliased: int | None = None

    def plain(self) -> dict[str, Any]:
        """Return it as data for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Standing:
        """Read what `plain` wrote; what an older build did not write has its default."""
        return cls(**{name: plain[name] for name in cls.__slots__ if name in plain})

    def reached(self, ends: dict[str, int]) -> Standing:
        """Return it with these sources read up to there."""
        return replace(self, ends={**self.ends, **ends})
