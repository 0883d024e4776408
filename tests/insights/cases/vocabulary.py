"""What the fields of cases are called as parameters of analyses, and how their values are written there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from insights.analyses.match import Match, Where


def match(value: dict[str, Any] | None) -> str:
    """An event that a case names, as a match; null is any activity."""
    if value is None:
        return ""
    where = tuple(Where(_field(name), "=", _text(one)) for name, one in (value.get("where") or {}).items())
    return msgspec.json.encode(Match(value.get("type"), where)).decode()


def where(value: dict[str, Any] | None) -> tuple[str, ...]:
    """A filter on props that every event must meet."""
    return tuple(f"{_field(name)}={_text(one)}" for name, one in (value or {}).items())


def field(value: str) -> str:
    """A field that a case breaks down by: one of an event's own, or a prop."""
    return _field(value)


def _field(name: str) -> str:
    return name if name in {"channel", "item", "session", "type"} or "." in name else f"props.{name}"


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode() if isinstance(value, bool) else str(value)


def exclusion(value: dict[str, Any]) -> str:
    """An exclusion of a funnel: a case counts steps from 0."""
    return f"{value['from_step'] + 1}-{value['to_step'] + 1}:{match(value['match'])}"


COHORTS = {"first_matching": "first", "first_ever": "first_event_is", "recurring": "recurring"}
PARAMETERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "unit": ("unit", str),
    "first_cell": ("since", str),
    "start": ("start", match),
    "return": ("returns", match),
    "cohort": ("cohort", lambda value: COHORTS.get(value, value)),
    "mode": ("mode", str),
    "min_returns": ("min_returns", int),
    "same_unit": ("same_unit", bool),
    "same_cohorts": ("same_cohorts", bool),
    "brackets": ("brackets", lambda value: tuple(f"{one[0]}-{one[1]}" if isinstance(one, list) else str(one) for one in value)),
    "window": ("window", str),
    "where": ("where", where),
    "exclude_users": ("without", tuple),
    "by": ("by", field),
    "by_limit": ("limit", int),
    "activity": ("activity", match),
    "week_start": ("week_start", str),
    "max_dormant_days": ("max_dormant_days", int),
    "at_least": ("at_least", bool),
    "month_days": ("month_days", int),
    "from": ("since", str),
    "to": ("until", str),
    "steps": ("steps", lambda value: tuple(one if isinstance(one, str) else match(one) for one in value)),
    "window_s": ("window", lambda value: f"{value}s"),
    "order": ("order", str),
    "exclude": ("exclude", lambda value: tuple(map(exclusion, value))),
    "first_entry": ("first_entry", bool),
    "node": ("node", str),
    "session_gap_s": ("gap", lambda value: f"{value}s"),
    "start_at": ("start_at", str),
    "end_at": ("end_at", str),
    "top": ("limit", int),
    "strip": ("strip", tuple),
    "by_step": ("by_step", lambda value: value + 1),
}
"""A field of a query, the parameter it is, and how its value is written."""
CASE_ONLY = frozenset({"kind", "tz", "known_until"})
"""What a query says of the log and not of the question."""


def parameters(query: dict[str, Any], kind: type[Any], *besides: str, **given: Any) -> Any:
    """Return a query as parameters of an analysis.

    Parameters
    ----------
    besides : str
        Fields that the caller has read already.
    given
        Parameters made of these.

    Raises
    ------
    KeyError
        For a field that nothing here knows: no case may pass because a part of it was not read.
    """
    values = dict(given)
    for name, value in query.items():
        if name in CASE_ONLY or name in besides:
            continue
        parameter, read = PARAMETERS[name]
        if parameter not in kind.__struct_fields__:
            if parameter == "week_start":  # of the log
                continue
            raise KeyError(f"{kind.__name__} has no {parameter}")
        values[parameter] = read(value)
    return msgspec.convert(values, kind)
