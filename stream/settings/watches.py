"""Which numbers are watched? The tables `[[watches]]` of the settings, each read into one `Watch`. Whether its analysis and metric exist is known to who asks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from stream.settings.reports import mailbox_faults
from stream.settings.schedule import name_faults
from stream.settings.values import names_of, nearest, text_of

Rule = Literal["above", "below", "rises", "falls"]
RULES: tuple[Rule, ...] = ("above", "below", "rises", "falls")
KEYS = ("name", "analysis", "parameters", "metric", "cell", *RULES, "on", "least", "to", "topic")
MOST, LEAST = 50, 30
"""Watches; and people below whom a number is not judged, where a watch says nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One number that is watched.

    Attributes
    ----------
    analysis, parameters
        What is asked, as of a command.
    metric, cell
        Which number of the answer; `cell` has what tells it from others, such as k or group.
    rule, bound
        Above or below a bound; or rises or falls by at least this share against the period before.
    on : {"complete", "forecast"}
        On which cells it is judged.
    least : int
        Of fewer people it is not judged.
    to : tuple of str
        Addresses of mail.
    topic : bool
        Whether it is told on the topic `metric_alerts`.
    """

    name: str
    analysis: str
    metric: str
    rule: Rule
    bound: float
    parameters: Mapping[str, Any] = field(default_factory=dict)
    cell: Mapping[str, Any] = field(default_factory=dict)
    on: Literal["complete", "forecast"] = "complete"
    least: int = LEAST
    to: tuple[str, ...] = ()
    topic: bool = True


def watches_of(raw: Sequence[object], faults: list[str]) -> tuple[Watch, ...]:
    """Read the tables; what is wrong is added to `faults`, each with what to do."""
    found = [one for index, table in enumerate(raw) if (one := _watch(f"watches[{index}]", table, faults)) is not None]
    names = [one.name for one in found]
    faults += [
        f"watches: two are called {name!r}; what is open is known by the name"
        for name in sorted({one for one in names if names.count(one) > 1})
    ]
    if len(found) > MOST:
        faults.append(f"watches: at most {MOST}, got {len(found)}")
    return tuple(found)


def _watch(where: str, raw: object, faults: list[str]) -> Watch | None:
    if not isinstance(raw, dict):
        faults.append(f"{where}: must be a table, [[watches]]")
        return None
    wrong = [f"{where}.{name}: unknown setting{nearest(name, list(KEYS))}" for name in raw if name not in KEYS]
    values: dict[str, Any] = {}
    for name, default, read in (
        ("name", "", text_of), ("analysis", "", text_of), ("metric", "", text_of), ("on", "complete", text_of), ("to", (), names_of),
        ("parameters", {}, table_of), ("cell", {}, table_of), ("least", LEAST, _count), ("topic", True, _flag),
    ):  # fmt: skip
        try:
            values[name] = read(raw.get(name, default))
        except ValueError as error:
            wrong.append(f"{where}.{name}: {error}")
            values[name] = default
    wrong += name_faults(where, values["name"]) + mailbox_faults(where, values["to"])
    wrong += [
        f"{where}.{name}: name one, as `churnwatch {{analysis}} --help` and docs/analyses.md have them"
        for name in ("analysis", "metric")
        if not values[name]
    ]
    rules = [rule for rule in RULES if rule in raw]
    if len(rules) != 1:
        wrong.append(f"{where}: say one of above, below, rises and falls, with a number, got {', '.join(rules) or 'none'}")
    elif (
        isinstance(raw[rules[0]], bool)
        or not isinstance(raw[rules[0]], (int, float))
        or (rules[0] in {"rises", "falls"} and not raw[rules[0]] > 0)
    ):
        wrong.append(
            f"{where}.{rules[0]}: must be a number{', above 0: a share such as 0.1' if rules[0] in {'rises', 'falls'} else ''}, got {raw[rules[0]]!r}"
        )
    if values["on"] not in {"complete", "forecast"}:
        wrong.append(f'{where}.on: "complete" or "forecast", got {values["on"]!r}')
    if not values["to"] and not values["topic"]:
        wrong.append(f"{where}: nobody would be told: name addresses in to, or leave topic on")
    faults += wrong
    return None if wrong else Watch(rule=rules[0], bound=float(raw[rules[0]]), **values)


def table_of(value: object) -> dict[str, Any]:
    """Return a table; see `stream.settings.values.read`."""
    if not isinstance(value, dict):
        raise ValueError(f'must be a table such as {{ unit = "week" }}, got {value!r}')
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"must be a whole number of people, at least 1, got {value!r}")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, got {value!r}")
    return value
