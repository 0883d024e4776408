"""Which rows of an answer are the watched number? Period by period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from insights.watches.core import Reading
from stream.faults import UsageFault
from stream.settings.watches import Watch


def readings_of(watch: Watch, rows: Sequence[Mapping[str, Any]], day: str) -> list[Reading]:
    """Return the readings of a watch, by period. A count is of as many people as it counts.

    Parameters
    ----------
    rows : sequence of mapping
        In the long form.
    day : str
        Of the newest event: the period of a number that has none of its own.

    Raises
    ------
    UsageFault
        Several numbers of one period fit.
    """
    wanted = {"group": None, **watch.cell}
    found: dict[str, Reading] = {}
    for row in rows:
        if row["metric"] != watch.metric or row["state"] != watch.on or row["value"] is None:
            continue
        if any(row.get(name) != value for name, value in wanted.items()):
            continue
        cohort = row["cohort"] or day
        if cohort in found:
            raise UsageFault(
                f"the watch {watch.name!r} could be several numbers of {watch.analysis}: say which by cell, such as "
                f"cell = {{ k = {row['k'] or 1} }}"
            )
        n = row["n"] if row["n"] is not None else round(row["value"])
        found[cohort] = Reading(cohort, row["value"], n)
    return [found[cohort] for cohort in sorted(found)]
