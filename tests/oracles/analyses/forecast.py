"""What is expected of each cohort of a small log when its open cell closes, person by person; and the same of the units before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from tests.oracles.analyses.calendar import after, begin, label
from tests.oracles.analyses.log import Log

Risks = Mapping[str, list[tuple[datetime, float]]]
"""Of each user, landmarks and the risk said there."""


def forecasts(
    log: Log, risks: Risks, unit: str, follow: int, record: int, horizon: timedelta
) -> dict[tuple[str, str, int], tuple[int, float]]:
    """Of each metric, cohort and k: how many people, and the share."""
    assert log.watermark is not None
    where = (log.zone, log.week_start)
    starts = [begin(unit, log.watermark, *where)]
    for _ in range(record):
        starts.append(begin(unit, starts[-1] - timedelta(microseconds=1), *where))
    ends = [after(unit, start, 1, *where) for start in starts]
    left = (ends[0] - log.watermark) / (ends[0] - starts[0])
    active = {user: sorted(e.ts for _, e in log.counted() if e.user == user and log.is_active(e)) for user in {e.user for e in log.events}}
    firsts = {user: times[0] for user, times in active.items() if times and (log.complete_from is None or times[0] >= log.complete_from)}
    found: dict[tuple[str, str, int], tuple[int, float]] = {}
    for start, end in zip(starts, ends, strict=True):
        moment = log.watermark if start == starts[0] else end - left * (end - start)
        for cohort in {begin(unit, first, *where) for first in firsts.values()}:
            k = next((k for k in range(1, follow + 1) if after(unit, cohort, k, *where) == start), None)
            if k is None:
                continue
            people = [user for user, first in firsts.items() if begin(unit, first, *where) == cohort]
            back = [user for user in people if any(start <= ts < moment for ts in active[user])]
            came = [user for user in people if any(start <= ts < end for ts in active[user])]
            expected = float(len(back))
            for user in people:
                said = max((one for one in risks.get(user, []) if one[0] < moment), default=None)
                if user not in back and said is not None:
                    expected += 1 - said[1] ** ((end - moment) / horizon)
            name = label(unit, cohort, log.zone)
            two = {"forecast": expected, "so_far": len(back)} if start == starts[0] else {"forecast_then": expected, "came": len(came)}
            for metric, count in two.items():
                found[metric, name, k] = (len(people), count / len(people))
    return found
