"""Parquet files. Their columns have types, and values are judged by them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import numpy as np
import polars as pl

from features.files.cells import Cells
from features.files.chunk import Chunk, Path_
from features.files.faults import FileRefused

ROWS = 1 << 18
UUID_BYTES = 16
PER_DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
MOST_DAYS = 999_999_999
"""The longest duration that Python knows."""


class ParquetRows:
    """A Parquet file.

    Attributes
    ----------
    columns : list of str
        Names of the columns; a nested one has dots.
    """

    def __init__(self, source: Path | BinaryIO) -> None:
        try:
            self._frame = pl.scan_parquet(source, glob=False)  # a name may hold brackets
            schema = self._frame.collect_schema()
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise _damaged(error) from None
        self.columns = [name for top, dtype in schema.items() for name in _names(top, dtype)]

    def chunks(self, paths: Sequence[Path_]) -> Iterator[Chunk]:
        """Yield all rows in chunks, with the places that are asked for."""
        chosen = [_place(path).alias(str(i)) for i, path in enumerate(paths)]
        row = 0
        try:
            for frame in self._frame.select(chosen).collect_batches(chunk_size=ROWS, maintain_order=True):
                rows = np.arange(row + 1, row + frame.height + 1)
                row += frame.height
                yield Chunk(rows, np.zeros(frame.height, np.int64), {path: _cells(frame[str(i)]) for i, path in enumerate(paths)})
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise _damaged(error) from None


def _damaged(error: BaseException) -> FileRefused:
    return FileRefused(f"this is no sound Parquet file: {str(error).splitlines()[0] if str(error) else type(error).__name__}", "damaged")


def _names(name: str, dtype: pl.DataType) -> Iterator[str]:
    yield name
    if isinstance(dtype, pl.Struct):
        for field in dtype.fields:
            inner = field.dtype if isinstance(field.dtype, pl.DataType) else field.dtype()
            yield from (f"{name}.{below}" for below in _names(field.name, inner))


def _place(path: Path_) -> pl.Expr:
    place = pl.col(path[0])
    for name in path[1:]:
        place = place.struct.field(name)
    return place


def _cells(column: pl.Series) -> Cells:
    """Return a column as cells: text, numbers and times stay as they are, and nested values become the text of their JSON."""
    dtype = column.dtype
    if dtype.is_nested():
        return _nested(column)
    if dtype == pl.Binary:
        return _binary(column)
    if isinstance(dtype, pl.Date | pl.Datetime | pl.Duration):
        column = _within_years(column)
    if dtype.is_numeric() or isinstance(dtype, pl.Date | pl.Datetime | pl.String):
        return Cells(column)
    if isinstance(dtype, pl.Boolean | pl.Time | pl.Duration):
        return Cells(pl.Series([None if one is None else str(one) for one in column.to_list()], dtype=pl.String), column.is_not_null())
    return Cells(column.cast(pl.String, strict=False))


def _within_years(column: pl.Series) -> pl.Series:
    """Return a column of times between the years 2 and 9998, those beyond moved to the nearer end: they are out of range there too, and can be shown."""
    dtype = column.dtype
    if isinstance(dtype, pl.Duration):
        low, high = -MOST_DAYS, MOST_DAYS
    else:
        low, high = ((date(year, 1, 1) - date(1970, 1, 1)).days for year in (2, 9999))
    scale = 1 if isinstance(dtype, pl.Date) else PER_DAY[getattr(dtype, "time_unit", "us")]
    ends = (max(low * scale, -(2**63)), min(high * scale, 2**63 - 1))
    return column.to_physical().clip(*ends).cast(dtype)


def _binary(column: pl.Series) -> Cells:
    """Return a column of bytes as text. If they are not text and every value has 16 bytes, they are UUIDs."""
    try:
        text = column.cast(pl.String)
    except pl.exceptions.PolarsError:
        text = None
    if text is not None and not text.str.contains(r"[\x00-\x1f]").any():
        return Cells(text)
    filled = column.drop_nulls()
    if (filled.bin.size() == UUID_BYTES).all():
        return Cells(pl.Series([None if one is None else str(UUID(bytes=one)) for one in column.to_list()], dtype=pl.String))
    if text is not None:
        return Cells(text)
    texts = [None if one is None else one.decode(errors="replace") for one in column.to_list()]
    return Cells(pl.Series(texts, dtype=pl.String), pl.Series([one is not None and "\ufffd" in one for one in texts]))


def _nested(column: pl.Series) -> Cells:
    """Return a nested column as cells. A list of one value counts as that value; any other nested value is odd where an id or a number is needed."""
    dtype = column.dtype
    if isinstance(dtype, pl.List | pl.Array) and not dtype.inner.is_nested():
        lists = column.list if isinstance(dtype, pl.List) else column.arr.to_list().list
        if (lists.len().drop_nulls() <= 1).all():
            return _cells(lists.get(0, null_on_oob=True))
    frame = column.alias("x").to_frame()
    text = frame.select(
        pl.when(pl.col("x").is_not_null()).then(pl.struct(pl.col("x")).struct.json_encode().str.slice(5).str.strip_suffix("}"))
    ).to_series()
    return Cells(text, column.is_not_null())
