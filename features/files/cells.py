"""A column of a file before it is judged: text as written, or numbers and times where the file's columns have types."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl


@dataclass(slots=True)
class Cells:
    """One field of a stretch of rows.

    Attributes
    ----------
    values : Series
        Text as written; numbers, times or dates if the file's columns have types. Null where the row has nothing.
    odd : Series of Boolean, or None
        Marks rows that hold neither text nor a number (but true, a list, an object); None if there are no such rows.
    numbers : Series of Boolean, or None
        Marks texts that are numbers by the file's own notation, such as JSON without quotes; None if there are none.
    """

    values: pl.Series
    odd: pl.Series | None = None
    numbers: pl.Series | None = None

    @property
    def is_text(self) -> bool:
        """Whether the values are text that is still to be read; else they have a type of their own."""
        return self.values.dtype == pl.String

    def text_at(self, row: int) -> str:
        """Return what a person is shown of one row."""
        value = self.values[row]
        return "" if value is None else str(value)


def coalesced(several: list[Cells]) -> Cells:
    """Return, row by row, the first of several columns that has something.

    >>> coalesced([Cells(pl.Series(["a", "", None])), Cells(pl.Series(["x", "y", None]))]).values.to_list()
    ['a', 'y', None]
    """
    if len(several) == 1:
        return several[0]
    texts = [cells.values if cells.is_text else cells.values.cast(pl.String, strict=False) for cells in several]
    chosen = Cells(texts[0], several[0].odd, several[0].numbers)
    for other, text in zip(several[1:], texts[1:], strict=True):
        empty = (chosen.values.is_null() | (chosen.values == "")).fill_null(value=True)
        picked = chosen.values.to_frame("a").with_columns(b=text, e=empty).select(pl.when("e").then("b").otherwise("a").alias("a"))
        chosen = Cells(picked.to_series(), _picked(empty, chosen.odd, other.odd), _picked(empty, chosen.numbers, other.numbers))
    return chosen


def _picked(empty: pl.Series, one: pl.Series | None, other: pl.Series | None) -> pl.Series | None:
    if one is None and other is None:
        return None
    none = pl.zeros(len(empty), dtype=pl.Int8, eager=True).cast(pl.Boolean)
    return (~empty & (one if one is not None else none)) | (empty & (other if other is not None else none))


def packed(text: pl.Series) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return all texts in one buffer, and where each ends, for a compiled pass; null becomes the empty text.

    >>> buffer, ends = packed(pl.Series(["ab", None, "c"]))
    >>> bytes(buffer), ends.tolist()
    (b'abc', [2, 2, 3])
    """
    filled = text.fill_null("")
    joined = filled.str.join("")[0] if len(filled) else ""
    ends = filled.str.len_bytes().cast(pl.Int64).cum_sum().to_numpy()
    return np.frombuffer(joined.encode(), np.uint8), ends
