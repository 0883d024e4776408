"""Is a question one that an analysis takes, and are two questions the same? Parameters are read into what the analysis declares, defaults and all."""

from __future__ import annotations

import difflib
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
    """
    fields: list[Any] = []
    for one in entry.parameters:
        hint = _hint(one) if says is None else Annotated[_hint(one), msgspec.Meta(description=says(one))]
        fields.append((one.name, hint) if one.required else (one.name, hint, one.default))
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
        raise UsageFault(
            f"there is no analysis {name!r}" + (f"; did you mean {near[0]}?" if near else f". There are: {', '.join(entries)}")
        )
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
        raise UsageFault(_said(str(error), entry)) from None


def _said(error: str, entry: Entry) -> str:
    """Name the parameter that is wrong, and what it may be."""
    says, _, where = error.partition(" - at `$.")
    name = where.rstrip("`").partition("[")[0]
    one = next((one for one in entry.parameters if one.name == name), None)
    if one is None:
        return says
    return f"{name}: {says}" + (f"; it is one of {', '.join(one.choices)}" if one.choices else "")


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
            raise UsageFault(f"this names no cell: {error}") from None
        return _checked(cell, metrics, entry)
    named = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if not equals or name.strip() not in Cell.__struct_fields__:
            raise UsageFault(
                f"{text!r} names no cell: write it as in cohort=2026-03-02,k=7 with any of {', '.join(Cell.__struct_fields__)}"
            )
        named[name.strip()] = value.strip()
    k = named.get("k")
    if k is not None and not (k.isascii() and k.isdigit() and len(k) < 10):
        raise UsageFault(f"k must be a whole number, got {k!r}")
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
        raise UsageFault(f"write the analysis as {entry.name}")
    read(entry, parameters)
    if cell is not None:
        _checked(cell, [metric.name for metric in entry.metrics], entry)


def _checked(cell: Cell, metrics: list[str], entry: Entry) -> Cell:
    if cell.metric not in metrics:
        raise UsageFault(f"{entry.name} has no metric {cell.metric!r}; there are: {', '.join(metrics)}")
    return cell
