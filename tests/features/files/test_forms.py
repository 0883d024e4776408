"""Whatever a file is made of: sound rows are read, and the damaged one is named by its line."""

from __future__ import annotations

import gzip
import io
import json
import os
import threading
from pathlib import Path

import polars as pl
import pytest
import zstandard

from features.files.faults import FileRefused
from features.files.reader import files_of
from tests.features.files.reading import csv, read, reasons, text

HEADER, ROW = "user,ts,type,value\n", "ann,1700000000000,click,1\n"
OBJECT = '{"user":"ann","ts":1700000000000,"type":"x"}'
ONE = {"user": "ann", "ts": 1_700_000_000_000, "type": "x"}


def zstd(content: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(content)


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("e.csv", HEADER + ROW + "\n\n" + ROW, 2),
        ("e.CSV", HEADER + ROW, 1),
        ("e.csv", (HEADER + ROW).replace("\n", "\r"), 1),
        ("e.csv", (HEADER + ROW + ROW).replace("\n", "\r\n"), 2),
        ("e.csv", "user,ts,type\r\na,1700000000000,x\nb,1700000000000,y\r\n", 2),
        ("e.csv", HEADER + ROW.strip(), 1),
        ("e.csv", '"user","ts","type"\n"a","1700000000000","x"\n', 1),
        ("e.csv", 'user, ts, type\n"a", 1700000000000, "x, y"\nb, 1700000000000, z\n', 2),
        ("e.csv", "user|ts|type\na|1700000000000|x\n", 1),
        ("e.txt", "user\tts\ttype\na\t1700000000000\tx\n", 1),
        ("e.csv", 'a"b\rc' + f",{HEADER}1,{ROW}", 1),
        ("e.csv", "sep=;\nuser;ts;type\na;1700000000000;x\n", 1),
        ("e.csv", HEADER + '5" pipe,1700000000000,x,1\n' + ROW, 2),
        ("e.csv", HEADER + "a\0b,1700000000000,x,\n", 1),
        ("e.csv", (HEADER + ROW).encode("utf-16"), 1),
        ("e.csv", b"\xfe\xff" + (HEADER + ROW).encode("utf-16-be"), 1),
        ("e.csv", (HEADER + ROW).encode("utf-32"), 1),
        ("e.csv", b"\xef\xbb\xbf" + (HEADER + ROW).encode(), 1),
        ("e.csv.gz", gzip.compress((HEADER + ROW).encode()), 1),
        ("e.csv.gz", gzip.compress(HEADER.encode()) + gzip.compress(ROW.encode()), 1),
        ("e.csv.zst", zstd(HEADER.encode()) + zstd(ROW.encode()), 1),
        ("e.csv", gzip.compress((HEADER + ROW).encode()), 1),
        ("e.jsonl", f"{OBJECT}\n\n  \n{OBJECT}", 2),
        ("e.jsonl", f"{OBJECT}\r{OBJECT}\r", 2),
        ("e.JSONL", f"{OBJECT},\n{OBJECT},\n", 2),
        ("e.json", f"[{OBJECT},{OBJECT}]", 2),
        ("e.json", f"[\n{OBJECT},\n{OBJECT}\n]\n", 2),
        ("e.json", json.dumps([ONE] * 3, indent=2), 3),
        ("e.json", json.dumps(ONE, indent=2) + "\n" + json.dumps(ONE, indent=2), 2),
        ("e.ndjson", f"[{OBJECT},{OBJECT}]\n[{OBJECT}]", 3),
        ("e.jsonl", OBJECT.encode("utf-16"), 1),
        ("e.txt", OBJECT, 1),
        ("e.json", HEADER + ROW, 1),
        ("e.jsonl", '{"user":"a","user":"b","ts":1700000000000,"type":"x"}', 1),
        ("events", HEADER + ROW, 1),
        ("e.json", OBJECT + OBJECT, 2),
        ("e.jsonl", f"{OBJECT} {OBJECT}\n{OBJECT}\n", 3),
        ("p[1].csv", HEADER + ROW, 1),
    ],
)  # fmt: skip
def test_forms_that_are_sound(name: str, content: str | bytes, rows: int, tmp_path: Path) -> None:
    frame, summary = read(text(tmp_path, content, name))
    assert summary.sound, summary
    assert frame.height == rows


GZ, ZST = (
    gzip.compress((HEADER + ROW * 1000).encode()),
    zstd("".join([HEADER, *(f"u{i},{1700000000000 + i},x,\n" for i in range(100_000))]).encode()),
)


@pytest.mark.parametrize(
    ("name", "content", "usable", "fault", "line"),
    [
        ("e.csv", HEADER + ROW + "bob,17000", 1, "ragged", 3),
        ("e.csv", HEADER + "a,1700000000000,x,1,2\n" + ROW, 1, "ragged", 2),
        ("e.csv", HEADER + '"ann,1700000000000,x,\n' + ROW * 3, 3, "open_quote", 2),
        ("e.csv", HEADER + ROW + '"bob,1700000000000,click', 1, "open_quote", 3),
        ("e.csv", HEADER.encode() + b"ren\xe9,1700000000000,x,\n" + ROW.encode(), 1, "not_utf8", 2),
        ("e.csv", HEADER + "x" * 3_000_000 + ",1700000000000,x,\n" + ROW, 1, "user_too_long", 2),
        ("e.csv", HEADER + f"ann,1700000000000,{'x' * 70_000},\n" + ROW, 1, "too_large", 2),
        ("e.jsonl", f'{OBJECT}\n{{"user":"b', 1, "not_json", 2),
        ("e.jsonl", f'{{"user":"a"\n{OBJECT}', 1, "not_json", 1),
        ("e.jsonl", f"5\n{OBJECT}", 1, "wrong_type", 1),
        ("e.jsonl", f'"x"\n{OBJECT}', 1, "wrong_type", 1),
        ("e.jsonl", r'{"user":"\ud800","ts":1,"type":"x"}' + f"\n{OBJECT}", 1, "not_json", 1),
        ("e.jsonl", r'{"user":"\x","ts":1,"type":"x"}' + f"\n{OBJECT}", 1, "not_json", 1),
        ("e.jsonl", OBJECT.encode() + b'\n{"user":"\xe9","ts":1700000000000,"type":"x"}', 1, "not_utf8", 2),
        ("e.json", f"[{OBJECT},\n{OBJECT[:20]}", 1, "not_json", 2),
        ("e.jsonl", OBJECT[:-1] + ',"props":' + '{"a":' * 100 + "1" + "}" * 101 + f"\n{OBJECT}", 1, "too_deep", 1),
        ("e.csv.gz", GZ[:-20], 854, "damaged", 0),
        ("e.csv.gz", GZ + b"garbage", 1000, "damaged", 0),
        ("e.csv.zst", ZST[: len(ZST) // 2], None, "damaged", 0),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 12 else None,
)
def test_the_damaged_line_is_named_and_the_others_are_read(
    name: str, content: str | bytes, usable: int | None, fault: str, line: int, tmp_path: Path
) -> None:
    _, summary = read(text(tmp_path, content, name))
    assert not summary.sound
    found = next(one for (reason, _), one in summary.faults.items() if reason == fault)
    assert (found.count, found.line) == (1, line)
    assert summary.usable == usable if usable is not None else summary.usable > 1_000


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("e.csv", b"", "empty"),
        ("e.csv", b"\n\n", "empty"),
        ("e.csv", HEADER, "no events"),
        ("e.json", b"[]", "no events"),
        ("e.csv", (HEADER + ROW).encode("utf-16-be"), "--encoding utf-16-be"),
        ("e.csv", b"us\xe9r,ts\n", "--encoding"),
        ("e.csv", ROW * 3, "the first line must name the columns"),
        ("e.csv", "user , user,ts,type\na,b,1,x\n", "the same column twice: user"),
        ("e.csv", b"PK\x03\x04", "Excel"),
        ("e.parquet", HEADER, "not a Parquet file"),
        ("e.parquet", b"PAR1aaaaaaaaaaaaaaaaaPAR1", "no sound Parquet file"),
        ("e.csv.zst", b"\x28\xb5\x2f\xfdxxxxxxx", "damaged"),
        ("e.jsonl", '{"User":"a","TS":1,"Type":"x"}', "--map user=User,ts=TS,type=Type"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read_say_what_to_do(name: str, content: str | bytes, says: str, tmp_path: Path) -> None:
    _, summary = read(text(tmp_path, content, name))
    assert says in summary.refused
    assert not summary.sound


def test_another_encoding_is_read_when_told(tmp_path: Path) -> None:
    file = text(tmp_path, (HEADER + "renée,1700000000000,x,\n").encode("latin-1"))
    assert read(file, encoding="latin-1")[0]["user"].to_list() == ["renée"]
    assert "say --encoding" in read(file, encoding="utf-16")[1].refused or read(file, encoding="utf-16")[1].usable == 0


def test_what_is_in_no_first_row_is_read_all_the_same(tmp_path: Path) -> None:
    rows = [f"{i % 50},{1700000000000 + i},x,5" for i in range(400_000)]
    frame, summary = read(csv(tmp_path, *rows, "abc-1,1700000400000,x,9.75"))
    assert summary.sound
    assert frame["user"].to_list()[-1] == "abc-1"
    assert frame["value"].to_list()[-1] == 9.75


def test_lines_are_counted_through_quotes_blank_lines_and_chunks(tmp_path: Path) -> None:
    rows = ['"a\nb",1700000000000,x,', "", *(f"u{i},1700000000000,x," for i in range(300_000)), "eve,soon,x,"]
    _, summary = read(csv(tmp_path, *rows))
    fault = summary.faults["wrong_type", "ts"]
    assert (fault.row, fault.line) == (300_002, 300_005)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", [1, 2, 4_000])
def test_blank_lines_after_the_header_are_passed_over(end: str, before: int, tmp_path: Path) -> None:
    frame, summary = read(text(tmp_path, f"user,ts,type{end * (before + 1)}ann,1700000000000,x{end}{end}bob,1700000000001,y{end}"))
    assert frame["user"].to_list() == ["ann", "bob"]
    assert summary.sound


@pytest.mark.parametrize(
    ("columns", "usable", "faults"),
    [
        ({"user": pl.Series(["a", "b"], dtype=pl.Categorical)}, 2, {}),
        ({"user": [b"a", b"\xff"]}, 1, {("wrong_type", "user"): 1}),
        ({"user": [1.0, float("nan")]}, 1, {("user_empty", "user"): 1}),
        ({"user": [1.5, 2.0]}, 1, {("wrong_type", "user"): 1}),
        ({"user": pl.Series([2**63 + 1, 7], dtype=pl.UInt64)}, 2, {}),
        ({"user": [True, False]}, 0, {("wrong_type", "user"): 2}),
        ({"value": [True, None]}, 1, {("wrong_type", "value"): 1}),
        ({"value": [[1.0], None]}, 2, {}),
        ({"value": [[1.0, 2.0], [1.0]]}, 0, {("wrong_type", "value"): 2}),
        ({"value": [{"a": 1}, None]}, 1, {("wrong_type", "value"): 1}),
        ({"value": [None, None]}, 2, {}),
        ({"props": [{"a": 1, "b": {"c": "d"}}, None]}, 2, {}),
        ({"ts": pl.Series([2**63 + 5, 1_700_000_000_000], dtype=pl.UInt64)}, 1, {("ts_out_of_range", "ts"): 1}),
        ({"ts": pl.Series([1_700_000_000] * 2, dtype=pl.Int32)}, 0, {("ts_unit", "ts"): 2}),
        ({"ts": [None, 1_700_000_000_000]}, 1, {("missing_field", "ts"): 1}),
        ({"ts": pl.Series([1, 2]).cast(pl.Duration("ms"))}, 0, {("wrong_type", "ts"): 2}),
    ],
    ids=str,
)
def test_columns_of_parquet(columns: dict[str, object], usable: int, faults: dict[tuple[str, str], int], tmp_path: Path) -> None:
    base = {"user": ["a", "b"], "ts": [1_700_000_000_000] * 2, "type": ["x", "y"]}
    pl.DataFrame(base | columns).write_parquet(tmp_path / "e.parquet")
    _, summary = read(tmp_path / "e.parquet")
    assert summary.usable == usable
    assert reasons(summary) == faults


FAR = [pl.Date(), *(pl.Datetime(unit, zone) for unit in ("ms", "us", "ns") for zone in (None, "Asia/Tokyo", "America/Los_Angeles"))]  # fmt: skip


@pytest.mark.parametrize("dtype", [*FAR, *map(pl.Duration, ("ms", "us", "ns"))], ids=str)
@pytest.mark.parametrize("name", ["ts", "user", "item", "value"])
def test_times_beyond_all_calendars(dtype: pl.DataType, name: str, tmp_path: Path) -> None:
    """Polars itself cannot show them."""
    last = 2**31 - 1 if dtype == pl.Date else 2**63 - 1
    far = pl.Series([last, -last, last // 2, -last // 2], dtype=pl.Int32 if dtype == pl.Date else pl.Int64).cast(dtype)
    columns = {"user": ["a"] * 4, "ts": [1_700_000_000_000] * 4, "type": ["x"] * 4} | {name: far}
    pl.DataFrame(columns).write_parquet(tmp_path / "e.parquet")
    _, summary = read(tmp_path / "e.parquet")
    if name == "ts":
        assert reasons(summary) == {("ts_out_of_range" if dtype in FAR else "wrong_type", "ts"): 4}
    assert summary.rows == 4


def test_a_parquet_file_cut_short_is_refused(tmp_path: Path) -> None:
    pl.DataFrame({"user": ["a"], "ts": [1_700_000_000_000], "type": ["x"]}).write_parquet(tmp_path / "e.parquet")
    content = (tmp_path / "e.parquet").read_bytes()
    assert "no sound Parquet file" in read(text(tmp_path, content[: len(content) // 2], "cut.parquet"))[1].refused


def test_folders_and_patterns(tmp_path: Path) -> None:
    for name in ("b.csv", "a.jsonl.gz", "day/c.PARQUET", "_SUCCESS", ".hidden.csv", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert [file.name for file in files_of([str(tmp_path)])] == ["a.jsonl.gz", "b.csv", "c.PARQUET"]
    assert [file.name for file in files_of([str(tmp_path / "*.csv"), str(tmp_path / "b.csv")])] == [".hidden.csv", "b.csv"]
    for missing in ("nowhere.csv", "*.nothing", "day2"):
        with pytest.raises(FileRefused, match="no "):
            files_of([str(tmp_path / missing)])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xd0\xcf\x11\xe0" + bytes(600), "old Excel"),
        (b"ARROW1" + bytes(600), "Feather"),
        (b"PARE" + bytes(600), "encrypted"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"e.csv" + bytes(252) + b"ustar" + bytes(300), "tar archive"),
        (gzip.compress(b"e.csv" + bytes(252) + b"ustar" + bytes(300)), "tar archive"),
        (b"\n<!DOCTYPE html>\n<html></html>", "web page"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", "XML"),
    ],
)
def test_a_file_of_another_kind_is_called_by_its_name(content: bytes, says: str, tmp_path: Path) -> None:
    _, summary = read(text(tmp_path, content))
    assert says in summary.refused


def test_a_line_of_zeros_is_no_utf16(tmp_path: Path) -> None:
    frame, summary = read(text(tmp_path, HEADER.encode() + bytes(300) + b"\n" + ROW.encode()))
    assert frame.height == 1
    assert reasons(summary) == {("ragged", ""): 1}


def test_a_parquet_file_may_have_brackets_in_its_name(tmp_path: Path) -> None:
    pl.DataFrame([ONE]).write_parquet(tmp_path / "e[1].parquet")
    assert read(tmp_path / "e[1].parquet")[0].height == 1


@pytest.mark.parametrize("parquet", [False, True])
def test_a_pipe_with_a_name_is_read_as_standard_input_is(parquet: bool, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    plain = io.BytesIO()
    pl.DataFrame([ONE]).write_parquet(plain)
    content = plain.getvalue() if parquet else (HEADER + ROW).encode()
    writer = threading.Thread(target=pipe.write_bytes, args=(content,), daemon=True)
    writer.start()
    assert files_of([str(pipe)]) == [pipe]
    assert read(pipe)[0]["user"].to_list() == ["ann"]
    writer.join(10)


def test_quotes_mean_nothing_in_snowplow_events_without_a_header(tmp_path: Path) -> None:
    row = [""] * 131
    row[3], row[5], row[6], row[15], row[30] = "2023-11-14 22:13:20.123", "page_view", "e1", "dom", '"Best'
    frame, summary = read(text(tmp_path, "\t".join(row) + "\n" + "\t".join([*row[:6], "e2", *row[7:]]) + "\n", "e.tsv"))
    assert summary.sound, summary
    assert frame["event_id"].to_list() == ["e1", "e2"]
