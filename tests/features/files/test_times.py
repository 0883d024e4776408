"""A guard against old files needs milliseconds of every form of time; and each form gives the right ones."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.files.options import ReadOptions
from features.files.times import local_to_utc, readable_form
from stream.cli.file_options import read_options
from stream.faults import UsageFault
from stream.intake.ingest import refuse_late
from stream.settings import load_settings
from tests.features.files.reading import CASES, NOW_MS, csv, opened, read, reasons, text

OCTOBER_MS = 1_569_888_000_000
"""2019-10-01T00:00:00Z."""


@pytest.mark.parametrize(
    ("written", "ms"),
    [
        ("1569888000000", OCTOBER_MS),
        ("1569888000000.0", OCTOBER_MS),
        ("1.569888E+12", OCTOBER_MS),
        ("2019-10-01T00:00:00Z", OCTOBER_MS),
        ("2019-10-01t00:00:00z", OCTOBER_MS),
        ("2019-10-01 00:00:00 UTC", OCTOBER_MS),
        ("2019-10-01 00:00:00 +0000 UTC", OCTOBER_MS),
        ("2019-10-01T02:00:00+02:00", OCTOBER_MS),
        ("2019-10-01 02:00:00+0200", OCTOBER_MS),
        ("2019-10-01 02:00:00+02", OCTOBER_MS),
        ("2019-09-30T20:30:00-03:30", OCTOBER_MS),
        ("2019-10-01T00:00:00.5Z", OCTOBER_MS + 500),
        ("2019-10-01T00:00:00,123456789Z", OCTOBER_MS + 123),
        ("2019-10-01", OCTOBER_MS),
        ("2019/10/01 00:00", OCTOBER_MS),
        (" 2019-10-01 ", OCTOBER_MS),
    ],
)
def test_forms_of_one_moment(written: str, ms: int, tmp_path: Path) -> None:
    assert read(csv(tmp_path, f'ann,"{written}",x,'))[0]["ts"].to_list() == [ms]
    assert read(text(tmp_path, f'{{"user":"ann","ts":"{written}","type":"x"}}', "e.jsonl"))[0]["ts"].to_list() == [ms]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "missing_field"),
        ("soon", "wrong_type"),
        ("2019-02-29", "wrong_type"),
        ("2019-10-01T24:00:00Z", "wrong_type"),
        ("2016-12-31T23:59:60Z", "wrong_type"),
        ("2019-10-01T00:00:00 CEST", "wrong_type"),
        ("Tue, 01 Oct 2019 00:00:00 GMT", "wrong_type"),
        ("1569888000000.5", "wrong_type"),
        ("01/02/2019", "ts_ambiguous"),
        ("1-2-2019 10:00", "ts_ambiguous"),
        ("31.10.2019", "ts_ambiguous"),
        ("1569888000", "ts_unit"),
        ("1569888000000000", "ts_unit"),
        ("1569888000000000000", "ts_unit"),
        ("0", "ts_implausible"),
        ("1999-12-31T23:59:59Z", "ts_implausible"),
        ("-1", "ts_out_of_range"),
        ("9" * 30, "ts_out_of_range"),
        ("2101-01-01", "ts_out_of_range"),
        ("2099-01-01", "future"),
    ],
)
def test_times_that_are_none(written: str, reason: str, tmp_path: Path) -> None:
    frame, summary = read(csv(tmp_path, f'ann,"{written}",x,', "bob,2019-10-01T00:00:00Z,x,"))
    assert frame["user"].to_list() == ["bob"]
    assert reasons(summary) == {(reason, "ts"): 1}
    assert summary.faults[reason, "ts"].line == 2


@pytest.mark.parametrize(("unit", "factor"), [("s", 0.001), ("us", 1_000), ("ns", 1_000_000)])
def test_a_unit_is_named_when_numbers_look_like_it_and_read_when_told(unit: str, factor: float, tmp_path: Path) -> None:
    file = csv(tmp_path, *(f"ann,{int((OCTOBER_MS + 1000 * i) * factor)},x," for i in range(3)))
    frame, summary = read(file)
    assert not frame.height
    assert any(f"say --ts-unit {unit}" in note for note in summary.notes)
    assert read(file, ts_unit=unit)[0]["ts"].to_list() == [OCTOBER_MS, OCTOBER_MS + 1000, OCTOBER_MS + 2000]


def test_seconds_carry_their_milliseconds_behind_the_point(tmp_path: Path) -> None:
    assert read(csv(tmp_path, "ann,1569888000.123,x,"), ts_unit="s")[0]["ts"].to_list() == [OCTOBER_MS + 123]


def test_a_log_that_begins_at_zero_is_read_when_told(tmp_path: Path) -> None:
    file = csv(tmp_path, "ann,0,x,", "ann,1000,x,", "bob,86400000,x,")
    assert not read(file)[0].height
    assert read(file, oldest_ms=0, oldest_given=True)[0]["ts"].to_list() == [0, 1000, 86_400_000]


@pytest.mark.parametrize(
    "dtype",
    [pl.Datetime("ms"), pl.Datetime("us"), pl.Datetime("ns"), pl.Datetime("us", "Europe/Berlin"), pl.Date, pl.Int64, pl.Float64, pl.String],
)
def test_columns_of_parquet_by_their_type(dtype: pl.DataType, tmp_path: Path) -> None:
    moment = pl.Series([OCTOBER_MS]).cast(pl.Datetime("ms"))
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        column = moment.dt.replace_time_zone("UTC").cast(dtype)
    elif dtype in {pl.Int64, pl.Float64}:
        column = pl.Series([OCTOBER_MS]).cast(dtype)
    else:
        column = moment.cast(dtype)
    pl.DataFrame({"user": ["ann"], "ts": column, "type": ["x"]}).write_parquet(tmp_path / "e.parquet")
    assert read(tmp_path / "e.parquet")[0]["ts"].to_list() == [OCTOBER_MS]


@given(
    st.integers(157_766_400, 1_893_456_000),  # 1975 to 2030
    st.sampled_from(["America/Sao_Paulo", "Europe/Berlin", "Asia/Kolkata", "UTC", "Australia/Lord_Howe"]),
)
def test_wall_clocks_agree_with_zoneinfo(seconds: int, zone: str) -> None:
    wall = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=ZoneInfo(zone))
    assert local_to_utc(np.array([seconds * 1000]), zone)[0] == wall.timestamp() * 1000


def test_a_row_far_from_all_others_is_an_outlier_and_a_gap_is_none(tmp_path: Path) -> None:
    usual = [f"u{i % 7},{OCTOBER_MS + i * 60_000},x," for i in range(1_500)]
    frame, summary = read(csv(tmp_path, *usual, "eve,2099-01-01,x,"), allow_future=True)
    assert reasons(summary) == {("ts_outlier", "ts"): 1}
    assert "eve" not in frame["user"]
    later = [f"u{i % 7},{OCTOBER_MS + 900 * 86_400_000 + i * 60_000},x," for i in range(1_500)]
    assert not reasons(read(csv(tmp_path, *usual, *later))[1])


@pytest.mark.parametrize(
    "name", ["t_Z.csv", "t_date.csv", "p_dt.parquet", "p_date.parquet", "t_space_frac.csv", "p_float_ts.parquet", "amplitude.json"]
)
def test_a_file_older_than_the_watermark_is_refused_whatever_form_its_times_have(name: str) -> None:
    file, settings = opened(CASES / name), load_settings(None)
    assert file.summary.first_ms is not None
    refuse_late(settings, [file], file.summary.first_ms)
    with pytest.raises(UsageFault, match="before the watermark"):
        refuse_late(settings, [file], NOW_MS)


@pytest.mark.parametrize(
    ("form", "written", "ms"),
    [
        ("%m/%d/%Y %I:%M:%S %p", "9/30/2019 11:30:00 PM", OCTOBER_MS - 1_800_000),
        ("%d.%m.%Y %H:%M:%S.%f", "01.10.2019 00:00:00.250", OCTOBER_MS + 250),
        ("%d.%m.%Y %H:%M:%S,%f", "01.10.2019 00:00:00,250", OCTOBER_MS + 250),
        ("%d/%m/%YT%H:%M:%SZ", "01/10/2019T00:00:00Z", OCTOBER_MS),
        ("%d %b %Y %H:%M GMT", "01 Oct 2019 00:00 GMT", OCTOBER_MS),
        ("%d/%b/%Y:%H:%M:%S %z", "01/Oct/2019:02:00:00 +0200", OCTOBER_MS),
        ("%s", "1569888000", OCTOBER_MS),
        ("%d/%m/%y", "1/10/19", OCTOBER_MS - 7_200_000),
    ],
)
def test_a_form_that_is_told_gives_the_moment_it_says(form: str, written: str, ms: int, tmp_path: Path) -> None:
    assert readable_form(form)
    zone = "Europe/Berlin" if form.endswith(("Z", "GMT", "%z", "%y", "%s")) else "UTC"
    frame, summary = read(csv(tmp_path, f'ann,"{written}",x,'), ts_format=form, zone=zone)
    assert frame["ts"].to_list() == [ms], summary


@pytest.mark.parametrize("form", ["%", "%%", "%Q", "day", "%Y%", "%H:%M", "%I:%M", "%d/%m/%Y %I:%M", "%Y", "%d/%m/%Y %S%f"])
def test_a_form_that_tells_no_moment_is_refused_before_a_file_is_opened(form: str) -> None:
    assert not readable_form(form)


def test_numbers_of_a_typed_column_are_read_by_the_form_as_well(tmp_path: Path) -> None:
    pl.DataFrame({"user": ["ann"], "ts": [20191001], "type": ["x"]}).write_parquet(tmp_path / "e.parquet")
    assert read(tmp_path / "e.parquet", ts_format="%Y%m%d")[0]["ts"].to_list() == [OCTOBER_MS]


def test_an_export_in_another_unit_than_its_documentation_says_is_refused_with_the_unit(tmp_path: Path) -> None:
    header = "event_timestamp,event_name,user_pseudo_id"
    _, summary = read(csv(tmp_path, f"{OCTOBER_MS},x,ann", header=header))
    assert reasons(summary) == {("ts_unit", "ts"): 1}
    assert any("--ts-unit ms" in note for note in summary.notes)
    assert read(csv(tmp_path, f"{OCTOBER_MS},x,ann", header=header), ts_unit="ms")[0]["ts"].to_list() == [OCTOBER_MS]


def told(**options: str) -> ReadOptions:
    return read_options(load_settings(None), **options)  # type: ignore[arg-type]  # texts only


@pytest.mark.parametrize(
    "options",
    [
        {"oldest": "2019"},
        {"oldest": "20191001"},
        {"oldest": "soon"},
        {"encoding": "hex"},
        {"encoding": "base64"},
        {"encoding": "undefined"},
        {"encoding": "rot13"},
        {"ts_format": "%d/%m/%Y %H:%M %Z"},
        {"tz": "Berlin"},
    ],
)
def test_an_option_that_cannot_be_is_refused_by_its_name(options: dict[str, str]) -> None:
    with pytest.raises(UsageFault, match="--" + next(iter(options)).replace("_", "-")):
        told(**options)
    assert told(oldest="0").oldest_ms == 0
