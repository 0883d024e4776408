"""Paths of a small log, walked one by one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from tests.oracles.analyses.log import SYSTEMS, Event, Log

END, SILENCE, UNKNOWN, ON = "end of visit", "silence", "not yet known", "goes on"
Node = Callable[[Event], str | None]


class Path(NamedTuple):
    user: str
    nodes: list[tuple[str, datetime]]  # repeats in a row are one, with the time of the first
    marks: list[tuple[bool, bool]]  # whether one of its events may be the start, the end
    last: datetime  # last event of the visit
    end: str


def visits(log: Log, gap: timedelta | None) -> list[list[Event]]:
    """Events of one user without a pause of `gap` or longer; of one instant by node is the caller's business."""
    found: list[list[Event]] = []
    for user in sorted({e.user for e in log.events}):
        line: list[Event] = []
        for event in (e for e in log.in_order() if e.user == user and e.type not in SYSTEMS):
            if line and gap is not None and event.ts - line[-1].ts >= gap:
                found.append(line)
                line = []
            line.append(event)
        if line:
            found.append(line)
    return found


def end_of(log: Log, user: str, last: datetime, horizon: timedelta) -> str:
    """What came of a user after an instant."""
    again = [e for e in log.in_order() if e.user == user and log.is_active(e) and last < e.ts <= last + horizon]
    if again:
        return END
    return SILENCE if log.watermark is not None and last + horizon < log.watermark else UNKNOWN


def paths(
    log: Log, node: Node, gap: timedelta | None, horizon: timedelta, start: Callable[[Event], bool], end: Callable[[Event], bool]
) -> list[Path]:
    """All visits as nodes."""
    found = []
    for line in visits(log, gap):
        nodes: list[tuple[str, datetime]] = []
        marks: list[tuple[bool, bool]] = []
        for event in sorted((e for e in line if node(e) is not None), key=lambda e: (e.ts, node(e))):
            mark = (start(event), end(event))
            if nodes and nodes[-1][0] == node(event):
                marks[-1] = (marks[-1][0] or mark[0], marks[-1][1] or mark[1])
            else:
                nodes.append((str(node(event)), event.ts))
                marks.append(mark)
        found.append(Path(line[0].user, nodes, marks, line[-1].ts, end_of(log, line[0].user, line[-1].ts, horizon)))
    return found


def cut(path: Path, starts: bool, ends: bool, depth: int) -> tuple[list[tuple[str, datetime]], str] | None:
    """A path between its first start and the first end from there, at most `depth` nodes; None if it has none."""
    nodes, first, last = path.nodes, 0, len(path.nodes)
    if starts:
        here = [i for i, mark in enumerate(path.marks) if mark[0]]
        if not here:
            return None
        first = here[0]
    if ends:
        here = [i for i, mark in enumerate(path.marks) if mark[1] and i >= first]
        if not here:
            return None
        last = here[0] + 1
    if ends and not starts:
        first = max(first, last - depth)  # what led to the end
    last = min(last, first + depth)
    if first >= last:
        return None
    return nodes[first:last], path.end if last == len(nodes) else ON


def links(found: list[Path], starts: bool, ends: bool, depth: int) -> dict[tuple[int, str, str], list[tuple[str, float]]]:
    """Of each step, source and target: the user and the seconds of each visit that took it; the last target is how it ended, after 0 s."""
    said: dict[tuple[int, str, str], list[tuple[str, float]]] = {}
    for path in found:
        shown = cut(path, starts, ends, depth)
        if shown is None:
            continue
        nodes, end = shown
        for k, ((source, begun), (target, came)) in enumerate(pairwise(nodes)):
            said.setdefault((k + 1, source, target), []).append((path.user, (came - begun).total_seconds()))
        said.setdefault((len(nodes), nodes[-1][0], f"({end})"), []).append((path.user, 0.0))
    return said
