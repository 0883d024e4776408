"""Which numbers are watched? The tables `[[watches]]` of the settings, each read into one `Watch`. Whether its analysis and metric exist is known to who asks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from stream.settings.lists import Field, ListOf, Values, read_each
from stream.settings.reports import mailbox_faults
from stream.settings.schedule import name_faults
from stream.settings.values import names_of, table_of, text_of

Rule = Literal["above", "below", "rises", "falls"]
RULES: tuple[Rule, ...] = ("above", "below", "rises", "falls")
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
    fields = (
        Field("name", "", text_of), Field("analysis", "", text_of), Field("parameters", {}, table_of), Field("metric", "", text_of), Field("cell", {}, table_of),
        Field("on", "complete", text_of), Field("least", LEAST, _count), Field("to", (), names_of), Field("topic", True, _flag),
    )  # fmt: skip
    return read_each(ListOf("watches", MOST, "what is open is"), raw, fields, _judged, _watch, faults, RULES)


def _watch(values: Values, table: Values) -> Watch:
    rule = next(rule for rule in RULES if rule in table)
    return Watch(rule=rule, bound=float(table[rule]), **values)


def _judged(where: str, values: Values, table: Values) -> list[str]:
    wrong = name_faults(where, values["name"]) + mailbox_faults(where, values["to"])
    wrong += [
        f"{where}.{name}: name one, as `churnwatch {{analysis}} --help` and docs/analyses.md have them"
        for name in ("analysis", "metric")
        if not values[name]
    ]
    wrong += _rule_faults(where, table)
    if values["on"] not in {"complete", "forecast"}:
        wrong.append(f'{where}.on: "complete" or "forecast", got {values["on"]!r}')
    if not values["to"] and not values["topic"]:
        wrong.append(f"{where}: nobody would be told: name addresses in to, or leave topic on")
    return wrong


def _rule_faults(where: str, table: Values) -> list[str]:
    rules = [rule for rule in RULES if rule in table]
    if len(rules) != 1:
        return [f"{where}: say one of above, below, rises and falls, with a number, got {', '.join(rules) or 'none'}"]
    (rule,), is_share = rules, rules[0] in {"rises", "falls"}
    bound = table[rule]
    if isinstance(bound, bool) or not isinstance(bound, int | float) or (is_share and not bound > 0):
        return [f"{where}.{rule}: must be a number{', above 0: a share such as 0.1' if is_share else ''}, got {bound!r}"]
    return []


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"must be a whole number of people, at least 1, got {value!r}")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, got {value!r}")
    return value
