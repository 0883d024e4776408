"""Is a question one that an analysis takes, and are two questions the same? Parameters are read into what the analysis declares, defaults and all."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from insights.analyses.plain import Entry, Parameter
from stream.faults import UsageFault

_PLAIN: dict[str, Any] = {
    "text": str, "whole": int, "number": float, "flag": bool, "texts": tuple[str, ...], "wholes": tuple[int, ...], "numbers": tuple[float, ...],
}  # fmt: skip


def type_of(entry: Entry) -> type[msgspec.Struct]:
    """Return the struct that parameters of an analysis are read into."""
    fields = [(one.name, _hint(one)) if one.required else (one.name, _hint(one), one.default) for one in entry.parameters]
    return msgspec.defstruct(entry.name.title().replace("_", ""), fields, frozen=True, kw_only=True, forbid_unknown_fields=True)


def _hint(one: Parameter) -> Any:
    plain: Any = Literal[one.choices] if one.reads == "choice" else _PLAIN[one.reads]
    is_open = one.default is None and not one.required
    return plain | None if is_open else plain


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
        raise UsageFault(str(error)) from None
