"""Whatever a file holds: no stack trace, and every row is either usable or counted. A quarter of a minute here; CHURNWATCH_FUZZ_SECONDS for longer."""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from features.events.columns import ColumnReader
from features.files.event_json import EventIds, payloads
from features.users.spec import FeatureSpec
from tests.features.files.reading import CASES, read, text

SECONDS = float(os.environ.get("CHURNWATCH_FUZZ_SECONDS", "15"))
SHARE = SECONDS / 3
pytestmark = pytest.mark.timeout(300 + 2 * SECONDS)
cells = st.one_of(
    st.sampled_from(
        ["ann", "", " ", "1700000000000", "1.7E+12", "2019-10-01T00:00:00Z", "2019-10-01 00:00:00", "01/02/2019", "9,5", "NaN", "null", "007", "7.0",
         "1700000000", "9" * 30, "-1", '"', '""', '"a', 'a"b', "\r", "\x00", "é", "e\u0301", "\ufeff", "\u202e", "{}", "[1]", "1e400", "x" * 300]
    ),
    st.text(max_size=12),
)  # fmt: skip
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), cells)
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(cells, inner, max_size=2)), max_leaves=4
)
names = st.sampled_from(["user", "ts", "type", "value", "item", "event", "event_id", "props", "channel", "properties", "User"])


def judged(file: Path) -> None:
    """Read a file; what is usable must be an event to a worker too."""
    frame, _ = read(file)
    if frame.height:
        _, sent = payloads(frame.with_columns(file=pl.lit(0, pl.Int32)).sort("ts", maintain_order=True), EventIds())
        columns = ColumnReader(FeatureSpec()).read(sent, [4_102_444_800_000] * len(sent), None)
        assert not columns.code.any(), [sent[i] for i in columns.code.nonzero()[0]]


def run_for(seconds: float, body: Callable[..., None], *strategies: st.SearchStrategy[Any]) -> None:
    """Hypothesis counts examples; here it is time that counts."""
    until = time.monotonic() + seconds
    for round_ in range(1_000_000):

        @seed(round_)
        @settings(max_examples=50, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(st.tuples(*strategies))
        def some(drawn: tuple[Any, ...]) -> None:
            body(*drawn)

        some()
        if time.monotonic() > until:
            return


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_delimited_text_of_any_cells(folder: Path) -> None:
    def body(header: list[str], rows: list[list[str]], end: str, separator: str, raw: bytes) -> None:
        lines = [separator.join(row) for row in [["user", "ts", "type", *header], *rows]]
        judged(text(folder, end.join(lines).encode("utf-8", "surrogatepass") + raw))

    run_for(
        SHARE, body, st.lists(names, max_size=3, unique=True), st.lists(st.lists(cells, min_size=1, max_size=6), max_size=6),
        st.sampled_from(["\n", "\r\n", "\r", "\n\n"]), st.sampled_from([",", ";", "\t", "|"]), st.binary(max_size=8),
    )  # fmt: skip


def test_json_of_any_shape(folder: Path) -> None:
    def body(rows: list[dict[str, object]], form: str, cut: int) -> None:
        whole = [{"user": "ann", "ts": 1_700_000_000_000, "type": "x", **row} for row in rows]
        lines = {"lines": "\n".join(map(json.dumps, whole)), "array": json.dumps(whole), "pretty": json.dumps(whole, indent=1)}[form]
        judged(text(folder, lines.encode("utf-8", "surrogatepass")[: len(lines) - cut], "events.jsonl"))

    run_for(
        SHARE,
        body,
        st.lists(st.dictionaries(names, values, max_size=4), max_size=5),
        st.sampled_from(["lines", "array", "pretty"]),
        st.integers(0, 9),
    )


def test_files_with_some_bytes_changed(folder: Path) -> None:
    originals = [file.read_bytes() for file in sorted(CASES.iterdir()) if file.is_file() and file.stat().st_size < 3_000]
    originals += [gzip.compress(one) for one in originals[:5]]
    suffixes = st.sampled_from(["csv", "jsonl", "tsv", "parquet", "csv.gz", "json"])

    def body(number: int, changes: list[tuple[int, int]], cut: int, suffix: str) -> None:
        data = bytearray(originals[number])
        for at, byte in changes:
            data[at % max(len(data), 1) : at % max(len(data), 1) + 1] = bytes([byte])
        judged(text(folder, bytes(data[: len(data) - cut]), f"events.{suffix}"))

    run_for(
        SHARE, body, st.integers(0, len(originals) - 1), st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 255)), max_size=4),
        st.integers(0, 5), suffixes,
    )  # fmt: skip
