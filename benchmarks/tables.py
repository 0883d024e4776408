"""Where do measured tables stand? Between two marks in RESULTS.md, so that a benchmark can put a new one in the place of its last."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"


def table_of(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown.

    >>> table_of(["n"], [["1"], ["2"]]).splitlines()
    ['| n |', '|---|', '| 1 |', '| 2 |']
    """
    return "\n".join(["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads), *("| " + " | ".join(row) + " |" for row in rows)])


def put(name: str, block: str) -> None:
    """Write a block between the marks of this name.

    Raises
    ------
    ValueError
        If RESULTS.md has no such marks.
    """
    begin, end, text = f"<!-- {name}: begin -->", f"<!-- {name}: end -->", RESULTS.read_text()
    if begin not in text or end not in text:
        raise ValueError(f"{RESULTS.name} has no marks {begin} and {end}")
    RESULTS.write_text(re.sub(f"{begin}.*{end}", lambda _match: f"{begin}\n{block}\n{end}", text, flags=re.DOTALL))
