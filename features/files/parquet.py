"""Parquet: columns have types, and are judged by them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl

from features.files.cells import Cells
from features.files.chunk import Chunk, Path_
from features.files.faults import FileRefused

ROWS = 1 << 18


class ParquetRows:
    """A Parquet file.

    Attributes
    ----------
    columns : list of str
        Nested ones with dots.
    """

    def __init__(self, source: Path | BinaryIO) -> None:
        self._frame = pl.scan_parquet(source)
        try:
            schema = self._frame.collect_schema()
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise _damaged(error) from None
        self.columns = [name for top, dtype in schema.items() for name in _names(top, dtype)]

    def chunks(self, paths: Sequence[Path_]) -> Iterator[Chunk]:
        """Yield the rows with the places that are asked for."""
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
    """Return a column as it is judged: text, numbers and times stay; what nests becomes the text of its JSON."""
    dtype = column.dtype
    if isinstance(dtype, pl.List | pl.Array):
        single = column.list if isinstance(dtype, pl.List) else column.arr.to_list().list
        if not dtype.inner.is_nested():  # type: ignore[union-attr]  # polars says class or instance
            lengths = single.len()
            if (lengths.drop_nulls() <= 1).all():
                return _cells(single.get(0, null_on_oob=True))
        return _as_json(column)
    if isinstance(dtype, pl.Struct):
        return _as_json(column)
    if dtype == pl.Binary:
        text = column.cast(pl.String, strict=False)
        spoiled = text.is_null() & column.is_not_null()
        return Cells(text.set(spoiled, "(bytes that are no UTF-8)"), spoiled if spoiled.any() else None)
    if dtype == pl.Boolean:
        return Cells(column.cast(pl.String), column.is_not_null())
    if dtype.is_numeric() or dtype in {pl.Date, pl.Datetime, pl.String}:
        return Cells(column)
    if dtype == pl.Null:
        return Cells(column.cast(pl.String))
    if dtype in {pl.Time, pl.Duration}:
        return Cells(column.cast(pl.String, strict=False), column.is_not_null())
    return Cells(column.cast(pl.String, strict=False))


def _as_json(column: pl.Series) -> Cells:
    frame = column.alias("x").to_frame()
    text = frame.select(pl.struct(pl.col("x")).struct.json_encode().str.slice(5).str.strip_suffix("}")).to_series()
    text = frame.select(pl.when(pl.col("x").is_null()).then(None).otherwise(pl.lit(text))).to_series()
    return Cells(text, column.is_not_null())
