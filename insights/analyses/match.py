"""Which events are meant? A type, conditions on columns and props, or both; read from a text, turned into SQL with every value bound.

As text: a type, then conditions, with commas between: ``view``, ``view,props.url=/pricing``, ``,channel=ads`` (any type). A type or value with a comma is
written as JSON: ``{"type": "a,b", "where": [{"field": "channel", "op": "=", "value": "x"}]}``.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from insights.history import tables
from stream.faults import UsageFault

Op = Literal["=", "!=", ">=", "<=", ">", "<"]
COLUMNS = ("type", "channel", "item", "session", "value", "event_id")
"""Columns of `events` that a condition or a breakdown may name; everything else of an event is in its props."""
RESERVED = tables.RESERVED
"""Types by which systems tell something of a user; they are never activity, nor the entry of a cohort."""
_CONDITION = re.compile(r"^([^=!<>]+?)(!=|>=|<=|=|>|<)(.*)$", re.DOTALL)


class Where(msgspec.Struct, frozen=True):
    """One condition: a field as `field_sql` knows it, a comparison, a value. Of `<` and its like both sides are numbers."""

    field: str
    op: Op
    value: str


class Match(msgspec.Struct, frozen=True):
    """Which events are meant. No type: any of the activity; conditions all hold together."""

    type: str | None = None
    where: tuple[Where, ...] = ()


def match_of(text: str) -> Match:
    """Read a match; "" means any activity.

    Raises
    ------
    stream.faults.UsageFault
        If it cannot be read.

    >>> match_of("view,props.src=ad")
    Match(type='view', where=(Where(field='props.src', op='=', value='ad'),))
    """
    if text.startswith("{"):
        try:
            return msgspec.json.decode(text, type=Match)
        except msgspec.MsgspecError as error:
            raise UsageFault('cannot read {text!r} as {{"type": ..., "where": [...]}}: {error}', text=text, error=error) from None
    kind, *conditions = text.split(",")
    return Match(kind.strip() or None, tuple(map(where_of, conditions)))


def where_of(text: str) -> Where:
    """Read one condition, such as ``props.src=ad``.

    Raises
    ------
    stream.faults.UsageFault
        If it is none.

    >>> where_of("value>=9.5")
    Where(field='value', op='>=', value='9.5')
    """
    found = _CONDITION.match(text)
    if found is None:
        raise UsageFault(
            "{text!r} is no condition: write a field, one of = != >= <= > <, and a value, as in channel=ads or props.plan=pro", text=text
        )
    return msgspec.convert({"field": found[1].strip(), "op": found[2], "value": found[3].strip()}, Where)


class Bound:
    """Values that SQL has by name and never as text.

    >>> bound = Bound()
    >>> bound("x'; drop"), bound.values
    ('$v1', {'v1': "x'; drop"})
    """

    def __init__(self) -> None:
        self.values: dict[str, object] = {}

    def __call__(self, value: object) -> str:
        """Bind a value; return how SQL names it."""
        name = f"v{len(self.values) + 1}"
        self.values[name] = value
        return f"${name}"


def field_sql(field: str, bound: Bound) -> str:
    """Return the SQL of a field of an event as text: one of `COLUMNS`, or ``props.NAME``.

    Raises
    ------
    stream.faults.UsageFault
        For any other field, with those there are.
    """
    head, dot, name = field.partition(".")
    if head == "props" and dot and name:
        return f"json_extract_string(props, {bound(_json_path(name))})"
    if field in COLUMNS:
        return f"CAST({field} AS VARCHAR)" if field == "value" else field
    raise UsageFault("there is no field {field!r} of an event; there are {fields} and props.NAME", field=field, fields=", ".join(COLUMNS))


def _json_path(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'$."{escaped}"'


def types_sql(match: Match, activity: tuple[str, ...], bound: Bound) -> str:
    """Return the part of `match_sql` that is about types."""
    return match_sql(Match(match.type), activity, bound)


def match_sql(match: Match, activity: tuple[str, ...], bound: Bound) -> str:
    """Return the SQL condition on `events` that a match means.

    Parameters
    ----------
    activity : tuple of str
        Types that are activity, what a match without a type means; empty: all but the reserved ones.
    """
    if match.type is not None:
        parts = [f"type = {bound(match.type)}"]
    elif activity:
        parts = [f"type IN ({', '.join(map(bound, activity))})"]
    else:
        parts = [f"type NOT IN ({', '.join(map(bound, RESERVED))})"]
    return " AND ".join([*parts, *(_where_sql(where, bound) for where in match.where)])


def wheres_sql(wheres: tuple[Where, ...], bound: Bound) -> str:
    """Return the SQL of conditions that all events must meet; "TRUE" without any."""
    return " AND ".join(_where_sql(where, bound) for where in wheres) or "TRUE"


def _where_sql(where: Where, bound: Bound) -> str:
    field = field_sql(where.field, bound)
    if where.op == "=":
        return f"{field} = {bound(where.value)}"
    if where.op == "!=":  # who has no value has another one
        return f"({field} IS NULL OR {field} <> {bound(where.value)})"
    try:
        number = float(where.value)
    except ValueError:
        raise UsageFault("{field} {op} needs a number, got {value!r}", field=where.field, op=where.op, value=where.value) from None
    return f"TRY_CAST({field} AS DOUBLE) {where.op} {bound(number)}"
