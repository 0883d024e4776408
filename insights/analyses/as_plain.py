"""The catalog and what was found as plain data (`plain.py`)."""

from __future__ import annotations

import types
from datetime import timedelta
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import polars as pl

from insights.analyses.analysis import LONG, Analysis, Result
from insights.analyses.plain import Entry, Found, Known, Parameter, Reads, Rows
from insights.history.reader import AsOf

_READS: dict[Any, Reads] = {str: "text", int: "whole", float: "number", bool: "flag"}
FILES = frozenset({"like"})
"""Parameters that name a file of the machine that computes: only a command takes them, since whoever asks from elsewhere has no business there."""
SEGMENT = Parameter(name="segment", reads="text")
"""What every analysis takes besides its own: the segment whose users are asked about. `segments.py` narrows the log to them, so no analysis knows of it."""
_SEVERAL: dict[Any, Reads] = {str: "texts", int: "wholes", float: "numbers"}


def entry_of(analysis: Analysis[Any]) -> Entry:
    """Return what a form, a document and a table need to know of an analysis."""
    hints = get_type_hints(analysis.parameters)
    return Entry(
        name=analysis.name,
        layout=analysis.layout,
        metrics=analysis.metrics,
        columns=tuple((column.name, column.kind) for column in analysis.columns),
        parameters=(
            *(_parameter(field, hints[field.name]) for field in msgspec.structs.fields(analysis.parameters) if field.name not in FILES),
            SEGMENT,
        ),
        arguments=analysis.arguments,
        has_people=analysis.behind is not None,
        followed=analysis.followed,
    )


def _parameter(field: msgspec.structs.FieldInfo, hint: Any) -> Parameter:
    if isinstance(hint, types.UnionType) or (get_origin(hint) is not Literal and type(None) in get_args(hint)):
        hint = next(one for one in get_args(hint) if one is not type(None))
    choices: tuple[str, ...] = ()
    if get_origin(hint) is Literal:
        reads: Reads = "choice"
        choices = get_args(hint)
    elif get_origin(hint) is tuple:
        reads = _SEVERAL[get_args(hint)[0]]
    else:
        reads = _READS[hint]
    default = None if field.required else list(field.default) if isinstance(field.default, tuple) else field.default
    return Parameter(name=field.name, reads=reads, default=default, required=field.required, choices=choices)


def found_of(result: Result) -> Found:
    """Return a result as plain data."""
    return Found(
        analysis=result.analysis,
        parameters=msgspec.to_builtins(result.parameters),
        as_of=known_of(result.as_of, result.left_censored),
        rows=rows_of(result.rows),
        notes=result.notes,
        people=result.people,
    )


def rows_of(frame: pl.DataFrame) -> Rows:
    """Return rows as plain data."""
    return Rows({name: frame[name].to_list() for name in frame.columns})


def frame_of(analysis: Analysis[Any], rows: Rows) -> pl.DataFrame:
    """Return rows of a result as the analysis made them."""
    return pl.DataFrame(rows.columns, schema=LONG | {column.name: column.type for column in analysis.columns})


def known_of(as_of: AsOf, left_censored: int) -> Known:
    """Return as of what something holds, as plain data."""
    return Known(
        watermark=as_of.watermark,
        offsets=dict(sorted((as_of.offsets or {}).items())),
        zone=as_of.zone,
        week_start=as_of.week_start,
        late=as_of.late,
        rejected=as_of.rejected,
        complete_from=as_of.complete_from,
        left_censored=left_censored,
        version=as_of.version,
        events=as_of.events,
        activity=as_of.activity,
        horizon_ms=as_of.horizon // timedelta(milliseconds=1),
        session_gap_ms=as_of.session_gap_ms,
        revenue=as_of.revenue,
    )
