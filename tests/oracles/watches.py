"""What a watch tells of a series that only grows, counted from the whole of it: each period's side of the bound, and where the side changes."""

from __future__ import annotations

from collections.abc import Sequence

from insights.watches.core import Reading
from stream.settings.watches import Watch


def told(watch: Watch, series: Sequence[Reading], first: int) -> list[tuple[str, str]]:
    """Return (opened or closed, period) for a watch that begins with the reading at `first`."""
    found: list[tuple[str, str]] = []
    is_open = False
    for at in range(first, len(series)):
        now, before = series[at], series[at - 1] if at else None
        if now.n < watch.least:
            continue
        if watch.rule in {"rises", "falls"}:
            if before is None or before.n < watch.least or not before.value > 0:
                continue
            change = now.value / before.value - 1
            is_out = change >= watch.bound if watch.rule == "rises" else -change >= watch.bound
        else:
            is_out = now.value > watch.bound if watch.rule == "above" else now.value < watch.bound
        if is_out != is_open:
            found.append(("opened" if is_out else "closed", now.cohort))
            is_open = is_out
    return found
