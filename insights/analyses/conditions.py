"""What can a rule say of users? Conditions such as ``purchases >= 1`` or ``traits.country = DE``, read from text; `rule.py` makes SQL of them.

Names that features have (docs/features.md) mean the same here, so that a rule of these alone may also be the segment of a definition of churn. In the engine
the border of a number lies near the one that is named, since it keeps a byte a feature; here it is exact.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Literal, NamedTuple

from stream.faults import UsageFault

Kind = Literal["number", "text", "day"]
_CONDITION = re.compile(r"\s*([\w.:-]+)\s*(>=|<=|!=|=|<|>)\s*(.+?)\s*", re.DOTALL)
FIELDS: Mapping[str, Kind] = {
    "channel": "text", "purchases": "number", "revenue": "number", "count_total": "number", "active_days_total": "number", "tenure_days": "number",
    "recency_s": "number", "first_day": "day", "last_day": "day",
}  # fmt: skip
"""What a condition may name besides ``traits.NAME``, which is text."""


class Condition(NamedTuple):
    """One condition, read."""

    field: str
    sign: str
    value: str | float | date


def conditions_of(texts: tuple[str, ...]) -> tuple[Condition, ...]:
    """Read a rule.

    Raises
    ------
    UsageFault
        If a text is no condition; the message says why.

    >>> conditions_of(("purchases >= 2", "traits.plan = pro"))
    (Condition(field='purchases', sign='>=', value=2.0), Condition(field='traits.plan', sign='=', value='pro'))
    """
    return tuple(map(_condition, texts))


def _condition(text: str) -> Condition:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise UsageFault("{text!r} is no condition: write a field, one of >= <= = != > <, and a value, as in purchases >= 1", text=text)
    field, sign, said = found.groups()
    kind = _kind(field)
    if kind == "text" and sign not in {"=", "!="}:
        raise UsageFault("{text!r}: {field} is text, so it takes = or !=", text=text, field=field)
    return Condition(field, sign, _VALUES[kind](field, said))


def _kind(field: str) -> Kind:
    if field.startswith("traits.") and len(field) > len("traits."):
        return "text"
    if field not in FIELDS:
        raise UsageFault("a rule has no field {field!r}; there are {fields} and traits.NAME", field=field, fields=", ".join(FIELDS))
    return FIELDS[field]


def _number(field: str, said: str) -> float:
    try:
        number = float(said)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageFault("{field} takes a number, got {said!r}", field=field, said=said)
    return number


def _day(field: str, said: str) -> date:
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise UsageFault("{field} takes a day, as in 2026-03-01, got {said!r}", field=field, said=said) from None


_VALUES: Mapping[Kind, Callable[[str, str], str | float | date]] = {"number": _number, "day": _day, "text": lambda _field, said: said}
