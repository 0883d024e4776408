"""Is a question one that an analysis takes, and are two questions the same? Parameters are read into what the analysis declares, defaults and all."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal

import msgspec

from insights.analyses.plain import Cell, Entry, Parameter, Reads
from stream.faults import UsageFault

_PLAIN: dict[str, Any] = {
    "text": str, "whole": int, "number": float, "flag": bool, "texts": tuple[str, ...], "wholes": tuple[int, ...], "numbers": tuple[float, ...],
}  # fmt: skip
SEVERAL: frozenset[Reads] = frozenset({"texts", "wholes", "numbers"})
"""Parameters that may be given several times."""


def type_of(entry: Entry, says: Callable[[Parameter], str] | None = None) -> type[msgspec.Struct]:
    """Return the struct that parameters of an analysis are read into.

    Parameters
    ----------
    says : callable, optional
        Describes a parameter, for a schema.

    >>> entry = Entry(name="errors", layout="steps", metrics=(), columns=(), parameters=(Parameter(name="types", reads="texts", default=["error"], required=False),))
    >>> type_of(entry)()
    Errors(types=('error',))
    """
    fields: list[Any] = []
    for one in entry.parameters:
        hint = _hint(one) if says is None else Annotated[_hint(one), msgspec.Meta(description=says(one))]
        default = tuple(one.default) if isinstance(one.default, list) else one.default  # a catalog that was kept has lists for tuples
        fields.append((one.name, hint) if one.required else (one.name, hint, default))
    return msgspec.defstruct(entry.name.title().replace("_", ""), fields, frozen=True, kw_only=True, forbid_unknown_fields=True)


def _hint(one: Parameter) -> Any:
    plain: Any = Literal[one.choices] if one.reads == "choice" else _PLAIN[one.reads]
    return plain | None if one.default is None and not one.required else plain


def entry_named(name: str, entries: Mapping[str, Entry]) -> Entry:
    """Return the analysis of a name, written with "_" or "-".

    Raises
    ------
    UsageFault
        For a name that there is not.
    """
    found = entries.get(name.replace("-", "_"))
    if found is None:
        near = difflib.get_close_matches(name.replace("-", "_"), entries, 1)
        if near:
            raise UsageFault("there is no analysis {name!r}; did you mean {near}?", name=name, near=near[0])
        raise UsageFault("there is no analysis {name!r}. There are: {names}", name=name, names=", ".join(entries))
    return found


def given_of(entry: Entry, pairs: Iterable[tuple[str, str]]) -> dict[str, object]:
    r"""Return what an address or a form gives to an analysis: nothing for an empty field, a list where several may be given, also one a line.

    >>> entry = Entry(name="funnel", layout="steps", metrics=(), columns=(), parameters=(Parameter(name="steps", reads="texts"),))
    >>> given_of(entry, [("steps", "open"), ("steps", "view\r\nbuy"), ("by", ""), ("colour", "red")])
    {'steps': ['open', 'view', 'buy'], 'colour': 'red'}
    """
    several = {one.name for one in entry.parameters if one.reads in SEVERAL}
    given: dict[str, object] = {}
    lists: dict[str, list[str]] = {}
    for name, text in pairs:
        if name in several:
            lists.setdefault(name, []).extend(line.strip() for line in text.splitlines() if line.strip())
        elif text.strip():
            given[name] = text.strip()
    return {name: value for name, value in lists.items() if value} | given


def read(entry: Entry, given: Mapping[str, object]) -> dict[str, Any]:
    """Return all parameters of a question, as plain values; texts are read as numbers and flags where these are wanted.

    Raises
    ------
    UsageFault
        If one is not what the analysis takes, or is not known.
    """
    try:
        return dict(msgspec.to_builtins(msgspec.convert(dict(given), type_of(entry), strict=False)))
    except msgspec.ValidationError as error:
        raise _fault(str(error), entry, given) from None


_MISNAMED = re.compile("Object (contains unknown|missing required) field `(.*)`")
_LONGEST = 80
"""Characters of a value that are said again."""
_TAKES: Mapping[Reads, str] = {
    "text": "{parameter} takes a text, got {got}",
    "choice": "{parameter} is one of {choices}, got {got}",
    "whole": "{parameter} takes a whole number, got {got}",
    "number": "{parameter} takes a number, got {got}",
    "flag": "{parameter} takes true or false, got {got}",
    "texts": "{parameter} takes a list of texts, got {got}",
    "wholes": "{parameter} takes a list of whole numbers, got {got}",
    "numbers": "{parameter} takes a list of numbers, got {got}",
}


def _fault(error: str, entry: Entry, given: Mapping[str, object]) -> UsageFault:
    """Name the parameter that is wrong, and what it may be."""
    if found := _MISNAMED.fullmatch(error):
        if found[1] == "missing required":
            return UsageFault("{analysis} needs {parameter}", analysis=entry.name, parameter=found[2])
        names = ", ".join(one.name for one in entry.parameters)
        return UsageFault("{analysis} does not take {name!r}; it takes: {names}", analysis=entry.name, name=found[2], names=names)
    name = error.partition(" - at `$.")[2].rstrip("`").partition("[")[0]
    one = next((one for one in entry.parameters if one.name == name), None)
    if one is None:
        return UsageFault(error)
    choices = {"choices": ", ".join(one.choices)} if one.choices else {}
    return UsageFault(_TAKES[one.reads], parameter=name, got=repr(given.get(name))[:_LONGEST], **choices)


def cell_of(text: str, entry: Entry) -> Cell:
    """Read the name of a cell, as in ``cohort=2026-03-02,k=7``, or as JSON where a value has a comma; without a metric the first that is not a sum of others is meant.

    Raises
    ------
    UsageFault
        If it names none.
    """
    metrics = [metric.name for metric in entry.metrics]
    if text.startswith("{"):
        try:
            cell = msgspec.json.decode(text.encode(), type=Cell)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise UsageFault("this names no cell: {error}", error=error) from None
        return _checked(cell, metrics, entry)
    named = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if not equals or name.strip() not in Cell.__struct_fields__:
            raise UsageFault(
                "{text!r} names no cell: write it as in cohort=2026-03-02,k=7 with any of {names}",
                text=text,
                names=", ".join(Cell.__struct_fields__),
            )
        named[name.strip()] = value.strip()
    k = named.get("k")
    if k is not None and not (k.isascii() and k.isdigit() and len(k) < 10):
        raise UsageFault("k must be a whole number, got {k!r}", k=k)
    texts = {name: value for name, value in named.items() if name not in {"metric", "k"}}
    metric = named.get("metric", next((one for one in metrics if one != "overall"), ""))
    return _checked(Cell(metric=metric, k=None if k is None else int(k), **texts), metrics, entry)


def judge_question(name: str, parameters: Mapping[str, object], cell: Cell | None, entries: Mapping[str, Entry]) -> None:
    """Judge a question that is to be kept.

    Raises
    ------
    UsageFault
        There is no such analysis, it does not take these parameters, or the cell is of no metric of it.
    """
    entry = entry_named(name, entries)
    if entry.name != name:
        raise UsageFault("write the analysis as {name}", name=entry.name)
    read(entry, parameters)
    if cell is not None:
        _checked(cell, [metric.name for metric in entry.metrics], entry)


def _checked(cell: Cell, metrics: list[str], entry: Entry) -> Cell:
    if cell.metric not in metrics:
        raise UsageFault(
            "{analysis} has no metric {metric!r}; there are: {metrics}", analysis=entry.name, metric=cell.metric, metrics=", ".join(metrics)
        )
    return cell
