"""The best chain of one user, by trying every chain there is: slow, obvious, and sharing no code with the fast pass.

An event is `Seen`: a time, the steps it fits (0 is the first), the exclusions it is an event of, a value. A chain is told by its times alone: which of two events
of one instant filled which step is nobody's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations, product
from typing import NamedTuple

Times = tuple[int, ...]


class Seen(NamedTuple):
    at: int
    steps: frozenset[int]
    spoils: frozenset[int] = frozenset()
    value: str | None = None


class Asked(NamedTuple):
    steps: int
    window: int | None  # None: until `day_end` of the entry
    begin: int
    end: int
    order: str = "ordered"
    exclude: tuple[tuple[int, int], ...] = ()  # from step, to step; 0 is the first
    first_entry: bool = False
    day: int = 1_000_000  # length of a day, for `window=None`


class Answer(NamedTuple):
    reached: int  # 0: excluded
    times: Times
    deadline: int  # of the last entry: ripe when it is before the watermark


def deadline(entry: int, asked: Asked) -> int:
    if asked.window is None:
        return (entry // asked.day + 1) * asked.day - 1
    return entry + asked.window


def entries(events: list[Seen], asked: Asked) -> list[int]:
    fits = [e.at for e in events if asked.begin <= e.at < asked.end and (e.steps if asked.order == "any" else 0 in e.steps)]
    return sorted(set(fits))


def ordered(events: list[Seen], entry: int, asked: Asked) -> set[Times]:
    """Times of all chains from an entry, complete or not."""
    found: set[Times] = set()

    def go(used: tuple[int, ...], times: Times) -> None:
        found.add(times)
        for i, event in enumerate(events):
            if i not in used and times[-1] <= event.at <= deadline(entry, asked) and len(times) in event.steps:
                go((*used, i), (*times, event.at))

    for i, event in enumerate(events):
        if event.at == entry and 0 in event.steps:
            go((i,), (entry,))
    return found


def strict(events: list[Seen], entry: int, asked: Asked) -> set[Times]:
    found: set[Times] = set()
    for line in arrangements(events):
        for i in range(len(line)):
            times: Times = ()
            while (
                len(times) < asked.steps
                and i + len(times) < len(line)
                and len(times) in line[i + len(times)].steps
                and line[i + len(times)].at <= deadline(entry, asked)
            ):
                times = (*times, line[i + len(times)].at)
            if times and times[0] == entry:
                found.add(times)
    return found


def arrangements(events: list[Seen]) -> Iterator[list[Seen]]:
    instants = [[e for e in events if e.at == at] for at in sorted({e.at for e in events})]
    for order in product(*(permutations(group) for group in instants)):
        yield [event for group in order for event in group]


def any_order(events: list[Seen], entry: int, asked: Asked) -> set[Times]:
    within = [e for e in events if entry <= e.at <= deadline(entry, asked)]
    found: set[Times] = set()
    for n in range(1, asked.steps + 1):
        for some in combinations(within, n):
            if any(all(s in e.steps for s, e in zip(steps, some, strict=True)) for steps in permutations(range(asked.steps), n)):
                found.add(tuple(sorted(e.at for e in some)))
    return {times for times in found if times[0] == entry}


def spoiled(times: Times, events: list[Seen], asked: Asked) -> bool:
    for number, (first, last) in enumerate(asked.exclude):
        if len(times) > first:
            until = times[last] if len(times) > last else deadline(times[0], asked)
            if any(number in e.spoils and times[first] < e.at < until for e in events):
                return True
    return False


def best(events: list[Seen], asked: Asked) -> Answer | None:
    """The answer for one user; None: they never entered."""
    starts = entries(events, asked)
    if not starts:
        return None
    tried = starts[:1] if asked.first_entry else starts
    chains: list[Times] = []
    for entry in tried:
        found = {"ordered": ordered, "strict": strict, "any": any_order}[asked.order](events, entry, asked)
        goes_on = {times[:-1] for times in found} if asked.order == "ordered" else set()
        chains += [times for times in found if times not in goes_on and not spoiled(times, events, asked)]
    last = deadline(starts[0] if asked.first_entry else starts[-1], asked)
    if not chains:
        return Answer(0, (tried[0],), last)
    times = min(chains, key=lambda times: (-len(times), times))
    return Answer(len(times), times, last)


def value_at(events: list[Seen], times: Times, n: int, asked: Asked) -> str | None:
    """The smallest value of the events that could be step `n` at its time."""
    fits = [e.value for e in events if e.at == times[n] and (e.steps if asked.order == "any" else n in e.steps) and e.value is not None]
    return min(fits, default=None)
