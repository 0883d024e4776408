"""Landmarks of a small log and the ratio of a path, one by one."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import NamedTuple

from tests.oracles.analyses.log import SYSTEMS, Log
from tests.oracles.analyses.paths import Node

GROUPS = (range(1, 2), range(2, 5), range(5, 13), range(13, 29))


class Landmark(NamedTuple):
    user: str
    path: tuple[str, ...]
    silent: bool
    activity: int


def landmarks(log: Log, node: Node, last: int, horizon: timedelta) -> list[Landmark]:
    found = []
    for user in sorted({e.user for e in log.events}):
        own = [e for e in log.in_order() if e.user == user and e.type not in SYSTEMS]
        active = sorted({log.day(e.ts) for e in own if log.is_active(e)})
        for day in active:
            mark = log.ends_at(day) - timedelta(microseconds=1)
            if log.watermark is None or mark + horizon >= log.watermark:
                continue
            before = sorted((e for e in own if e.ts <= mark and node(e) is not None), key=lambda e: (e.ts, node(e)))
            path = [key for key, _ in groupby(str(node(e)) for e in before)][-last:]
            silent = not any(log.is_active(e) and mark < e.ts <= mark + horizon for e in own)
            near = sum(day - timedelta(days=28) < other <= day for other in active)
            found.append(Landmark(user, tuple(path), silent, next(i for i, days in enumerate(GROUPS) if near in days)))
    return found


def ratio(found: list[Landmark], path: tuple[str, ...], equal: bool) -> float | None:
    """Share of the path among silences to that among returns, pooled by Mantel and Haenszel, half a case more on each side."""
    silences, returns = [one for one in found if one.silent], [one for one in found if not one.silent]
    above = below = 0.0
    for group in range(len(GROUPS)) if equal else (None,):
        ones = [one for one in silences if group in (None, one.activity)]
        noughts = [one for one in returns if group in (None, one.activity)]
        if ones or noughts:
            a = sum(one.path == path for one in ones) + (0.5 * len(ones) / len(silences) if silences else 0)
            c = sum(one.path == path for one in noughts) + (0.5 * len(noughts) / len(returns) if returns else 0)
            above += a * len(noughts) / (len(ones) + len(noughts))
            below += c * len(ones) / (len(ones) + len(noughts))
    return above / below if below else None
