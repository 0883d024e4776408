"""The form of an analysis, made from the catalog: a field for each parameter, the usual ones first, the others behind "More settings"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from insights.analyses.plain import Entry, Parameter
from insights.asked.questions import SEVERAL
from insights.asked.withheld import NAME_PERSONS
from insights.words import Words

FIRST = ("unit", "by", "since", "until")
"""Parameters that are asked at once, beside those that are required."""


class Field(NamedTuple):
    """One field.

    Attributes
    ----------
    kind : str
        "select", "lines", "check", "day", "number" or "text".
    value : str
        As it was given; "" for what is left to the analysis.
    hint : str
        What holds when it is left empty.
    options : list of (value, text)
        Of a select.
    """

    name: str
    label: str
    about: str
    kind: str
    value: str
    hint: str
    options: list[tuple[str, str]]
    required: bool


class Form(NamedTuple):
    """The fields at once, and those behind; `open`: one of those is filled."""

    first: list[Field]
    more: list[Field]
    open: bool


def form_of(entry: Entry, given: Mapping[str, object], w: Words, *, persons: bool) -> Form:
    """Return the form with what was given; who may see no persons is not asked to name any."""
    fields = [(one, _field(one, given.get(one.name), w)) for one in entry.parameters if persons or one.name not in NAME_PERSONS]
    first = [field for one, field in fields if one.required or one.name in FIRST]
    more = [field for one, field in fields if not (one.required or one.name in FIRST)]
    first.sort(key=lambda field: not field.required)
    return Form(first, more, any(field.name in given for field in more))


def _field(one: Parameter, given: object, w: Words) -> Field:
    label = w.t(f"asks.{one.name}")
    if one.required:
        label = w.t("explore.needed", name=label)
    about = w.t(f"parameter.{one.name}")
    value = "\n".join(map(str, given)) if isinstance(given, list) else "" if given is None else str(given)
    options: list[tuple[str, str]] = []
    kind = "text"
    if one.reads == "choice":
        kind = "select"
        first = [("", w.t("explore.default"))] if one.default is None else []
        options = first + [(word, w.t(f"choice.{word}")) for word in one.choices]
        value = value or str(one.default or "")
    elif one.reads == "flag":
        kind = "check"
    elif one.reads in SEVERAL:
        kind = "lines"
        about = f"{about} · {w.t('explore.one_a_line')}"
    elif one.name in {"since", "until"}:
        kind = "day"
    elif one.reads in {"whole", "number"}:
        kind = "number"
    return Field(one.name, label, about, kind, value, _hint(one, w), options, one.required)


def _hint(one: Parameter, w: Words) -> str:
    """Return what holds when a field is left empty; nobody is told apart by themselves, and no condition is made."""
    if one.name in {"since", "until", "follow"}:
        return w.t("explore.default")
    return "" if one.default in (None, "", False) or isinstance(one.default, list) else str(one.default)
