"""What becomes of ids, values and properties, and which column is which field."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from features.files.faults import FileRefused
from features.files.mapping import plan_of, read_mapping
from features.files.shapes import SHAPES, recognised
from tests.features.files.reading import CASES, csv, read, reasons, text

AT = 1_700_000_000_000


@pytest.mark.parametrize(
    ("written", "ids"),
    [
        (["007", "7", "0012"], ["007", "7", "0012"]),
        (["123.0", "45.0"], ["123", "45"]),
        (["123.0", "45"], ["123", "45"]),
        (["123.0", "abc"], ["123.0", "abc"]),
        (["1.5", "2.0"], ["1.5", "2.0"]),
        (["12345678901234567890123", "x"], ["12345678901234567890123", "x"]),
        ([" ann ", "ann\u00a0"], ["ann", "ann"]),
        (["cafe\u0301", "café"], ["café", "café"]),
        (["NULL", "undefined"], ["NULL", "undefined"]),
        (["👨‍👩‍👧", "李雷"], ["👨‍👩‍👧", "李雷"]),
    ],
)
def test_ids_are_text_as_written_but_for_what_is_said(written: list[str], ids: list[str], tmp_path: Path) -> None:
    frame, summary = read(csv(tmp_path, *(f"{one},{AT},x," for one in written)))
    assert frame["user"].to_list() == ids
    assert bool(summary.notes) == (written != ids or written[0] == "NULL")


def test_a_float_column_is_known_only_at_the_end_of_the_file(tmp_path: Path) -> None:
    rows = [f"{i}.0,{AT + i},x," for i in range(300_000)]
    assert read(csv(tmp_path, *rows))[0]["user"][-1] == "299999"
    assert read(csv(tmp_path, *rows, f"abc,{AT + 300_000},x,"))[0]["user"][0] == "0.0"


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ('"ann"', "ann"),
        ("123", "123"),
        ("7.0", "7"),
        ('"7.0"', "7.0"),
        ("1e3", "1000"),
        ("9" * 23, "9" * 23),
        ("7.5", None),
        ("true", None),
        ("[1]", None),
        ("null", None),
        ("{}", None),
        ('""', None),
    ],
)
def test_ids_of_json_by_their_kind(token: str, expected: str | None, tmp_path: Path) -> None:
    sound = f'{{"user":"bob","ts":{AT},"type":"x"}}'
    frame, summary = read(text(tmp_path, f'{{"user":{token},"ts":{AT},"type":"x"}}\n{sound}', "e.jsonl"))
    assert frame["user"].to_list() == [*([expected] if expected else []), "bob"]
    assert bool(summary.faults) == (expected is None)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("9.5", 9.5),
        ("1e5", 1e5),
        (" 5 ", 5.0),
        ("-3", -3.0),
        ("", None),
        ("NaN", None),
        ("inf", None),
        ("1e999", None),
        ("NULL", None),
        ("n/a", None),
    ],
)
def test_values(written: str, value: float | None, tmp_path: Path) -> None:
    frame, summary = read(csv(tmp_path, f"ann,{AT},buy,{written}"))
    assert frame["value"].to_list() == [value]
    assert summary.sound


@pytest.mark.parametrize("written", ["9,5", "1,234.50", "$12.50", "5%", "1_000", "0x10", "TRUE", "1 234", "\u0665", "--5"])
def test_values_that_would_have_to_be_guessed_are_named_and_the_other_rows_unharmed(written: str, tmp_path: Path) -> None:
    frame, summary = read(csv(tmp_path, f'ann,{AT},buy,"{written}"', f"bob,{AT},buy,1"))
    assert frame["user"].to_list() == ["bob"]
    assert summary.faults["wrong_type", "value"].value == written


def test_users_that_the_settings_name_are_rejected(tmp_path: Path) -> None:
    file = csv(tmp_path, f"anonymous,{AT},x,", f"ann,{AT},x,")
    assert any("'anonymous' (1)" in note for note in read(file)[1].notes)
    assert reasons(read(file, not_users=frozenset({"anonymous"}))[1]) == {("user_reserved", "user"): 1}


def test_types_that_strict_settings_do_not_know_are_rejected(tmp_path: Path) -> None:
    file = csv(tmp_path, f"ann,{AT},x,", f"ann,{AT},y,")
    assert reasons(read(file, known_types=frozenset({"x"}))[1]) == {("unknown_type", "type"): 1}


def test_an_event_id_that_is_a_word_for_nothing_is_none(tmp_path: Path) -> None:
    file = csv(tmp_path, f"ann,{AT},x,NULL", f"ann,{AT},x,e-1", header="user,ts,type,event_id")
    assert read(file)[0]["event_id"].to_list() == [None, "e-1"]


def test_props_are_objects_of_any_shape(tmp_path: Path) -> None:
    shapes = ['{"a":{"b":[1,{"c":null}]}}', "{}", "null", '"text"', "[1]"]
    frame, summary = read(text(tmp_path, "\n".join(f'{{"user":"a","ts":{AT},"type":"x","props":{one}}}' for one in shapes), "e.jsonl"))
    assert frame["props"].to_list() == ['{"a":{"b":[1,{"c":null}]}}', None, None]
    assert reasons(summary) == {("wrong_type", "props"): 2}
    frame, _ = read(csv(tmp_path, f'ann,{AT},x,"{{""a"":1}}"', header="user,ts,type,props"))
    assert frame["props"].to_list() == ['{"a":1}']


def test_a_map_leads_into_nested_json_and_to_a_second_choice(tmp_path: Path) -> None:
    rows = [
        {"ids": {"user": "ann"}, "at": AT, "what": "x"},
        {"ids": {"cookie": "c-1"}, "at": AT, "what": "x"},
        {"ids": None, "at": AT, "what": "x"},
    ]
    file = text(tmp_path, "\n".join(map(json.dumps, rows)), "e.jsonl")
    frame, summary = read(file, mapping=read_mapping(["user=ids.user|ids.cookie,ts=at", "type=what"]))
    assert frame["user"].to_list() == ["ann", "c-1"]
    assert reasons(summary) == {("user_empty", "user"): 1}


def test_a_mapping_file_is_a_mapping(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text('[mapping]\nuser = "who"\nts = ["at", "when"]\n')
    (tmp_path / "m.json").write_text('{"user": "who", "ts": ["at", "when"]}')
    expected = {"user": ("who",), "ts": ("at", "when")}
    assert read_mapping([str(tmp_path / "m.toml")]) == read_mapping([str(tmp_path / "m.json")]) == expected
    (tmp_path / "m.toml").write_text('user = "who"\nts = "at | when"\n', encoding="utf-8-sig")
    assert read_mapping([str(tmp_path / "m.toml")]) == expected
    assert read_mapping(["user=who.json"]) == {"user": ("who.json",)}
    (tmp_path / "m.json").write_text("[" * 100_000)
    with pytest.raises(FileRefused, match="too deep"):
        read_mapping([str(tmp_path / "m.json")])


@pytest.mark.parametrize("told", ["usr=a", "user=a,user=b", "user", "user=", "type==", "value==5", "nowhere.toml"])
def test_a_mapping_that_cannot_be_is_refused(told: str) -> None:
    with pytest.raises(FileRefused, match="--map"):
        plan_of(["a", "b"], read_mapping([told]), nested=False)


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    _, summary = read(csv(tmp_path, f"ann,{AT},x,"), mapping=read_mapping(["value=price"]))
    assert "there is no column price for value" in summary.refused


def test_all_rows_may_be_of_one_type(tmp_path: Path) -> None:
    file = csv(tmp_path, f"ann,{AT}", header="user,ts")
    assert "--type click" in read(file)[1].refused
    for told in ({"constant_type": "open"}, {"mapping": read_mapping(["type==open"])}):
        assert read(file, **told)[0]["type"].to_list() == ["open"]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_export_is_recognised_as_itself_and_has_what_an_event_needs(shape: object) -> None:
    for choice in (0, -1):
        columns = [group[choice] for group in shape.known_by]  # type: ignore[attr-defined]
        columns += [place for field in ("user", "ts", "type") for place in shape.places[field]]  # type: ignore[attr-defined]
        assert recognised(columns) is not None
        assert recognised(columns).name.split()[0] in {shape.name.split()[0], "RudderStack", "Segment"}  # type: ignore[attr-defined,union-attr]
        plan = plan_of(list(dict.fromkeys(columns)), {}, nested=False)
        assert {"user", "ts", "type"} <= set(plan.places)


def test_our_own_names_win_over_any_shape() -> None:
    plan = plan_of(["user", "ts", "type", "distinct_id", "event", "timestamp"], {}, nested=False)
    assert plan.shape == ""
    assert plan.places["user"] == (("user",),)


def test_a_track_call_is_of_the_type_it_names() -> None:
    assert read(CASES / "segment.jsonl")[0]["type"].unique().to_list() == ["Order Completed"]
    assert read(CASES / "segment_named.jsonl")[0]["type"].to_list() == ["Order Completed", "Page Viewed", "Signed Up"]


def test_snowplow_without_a_header(tmp_path: Path) -> None:
    cells = [""] * 131
    cells[3], cells[5], cells[6], cells[15], cells[52] = "2024-01-05 10:00:00.123", "struct", "e-1", "d-1", '{"data":[{"a":"b"}]}'
    cells[54], cells[57] = "add-to-basket", "9.5"
    frame, summary = read(text(tmp_path, "\t".join(cells) + "\n", "enriched.tsv"))
    assert summary.sound, summary
    assert frame.select("user", "type", "value", "event_id").rows() == [("d-1", "add-to-basket", 9.5, "e-1")]


def test_a_backtest_drops_repeats_as_a_worker_does(tmp_path: Path) -> None:
    from stream.backtest.log import read_history
    from tests.backtest.logs import replay

    rows = [f"u{i % 9},{AT + i * 3_600_000},x,e-{i}" for i in range(900)]
    once = read_history(csv(tmp_path, *rows, header="user,ts,type,event_id"))
    assert replay(once, models=("cadence",)).repeats == 0
    twice = read_history(csv(tmp_path, *(row for row in rows for _ in range(2)), header="user,ts,type,event_id"))
    result = replay(twice, models=("cadence",))
    assert result.repeats == 900
    assert result.predictions.height == replay(once, models=("cadence",)).predictions.height


def test_an_event_that_two_files_hold_is_a_repeat(tmp_path: Path) -> None:
    from stream.backtest.log import read_history
    from tests.backtest.logs import replay

    rows = [f"u{i % 9},{AT + i * 3_600_000},x," for i in range(90)]
    files = [
        text(tmp_path, "\n".join(["user,ts,type,value", *part, ""]), f"{name}.csv") for name, part in (("a", rows[:50]), ("b", rows[40:]))
    ]
    assert replay(read_history(files), models=("cadence",)).repeats == 10


def test_ids_of_sixteen_bytes_are_uuids(tmp_path: Path) -> None:
    own = [bytes(range(16)), None, bytes(range(240, 256))]
    pl.DataFrame({"user": own, "ts": [AT] * 3, "type": [b"x"] * 3}).write_parquet(tmp_path / "e.parquet")
    frame, summary = read(tmp_path / "e.parquet")
    assert frame["user"].to_list() == ["00010203-0405-0607-0809-0a0b0c0d0e0f", "f0f1f2f3-f4f5-f6f7-f8f9-fafbfcfdfeff"]
    assert frame["type"].to_list() == ["x", "x"]
    assert reasons(summary) == {("user_empty", "user"): 1}


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ("event_time,event_type,product_id,category_id,category_code,brand,price,user_id", "REES46 / cosmetics shop"),
        ("user_id,device_id,event_type,time,insert_id,event_properties", "Amplitude"),
        ("EVENT_TYPE,EVENT_TIME,USER_ID,DEVICE_ID,AMPLITUDE_ID,INSERT_ID", "Amplitude"),
        ("APP_ID,COLLECTOR_TSTAMP,DERIVED_TSTAMP,EVENT,EVENT_ID,USER_ID,DOMAIN_USERID", "Snowplow enriched events"),
        ("event_name,time,distinct_id,insert_id,user_id,device_id,properties", "Mixpanel"),
        ("mp_event_name,mp_time,mp_distinct_id,mp_insert_id", "Mixpanel"),
        ("event,properties,properties.distinct_id,timestamp,uuid", "PostHog"),
        ("messageid,anonymousid,userid,timestamp,type,event", "Segment"),
    ],
)
def test_variants_of_known_exports(columns: str, name: str) -> None:
    plan = plan_of(columns.split(","), {}, nested=False)
    assert plan.shape == name
    assert {"user", "ts", "type"} <= set(plan.places)


def test_names_of_mixed_letters_are_no_export_that_is_spelled_otherwise() -> None:
    assert recognised(["Distinct_Id", "event", "timestamp"]) is None


def test_a_warehouse_table_of_pages_needs_only_its_type(tmp_path: Path) -> None:
    file = csv(tmp_path, "e1,2023-11-14 22:13:20+00,ann,2023-11-14 22:13:20+00", header="id,received_at,anonymous_id,timestamp")
    assert "no column for type;" in read(file)[1].refused
    assert read(file, constant_type="page")[0].select("user", "ts", "type").rows() == [("ann", AT, "page")]


def test_objects_that_wrap_the_events_are_told_apart_and_the_way_to_them_is_said(tmp_path: Path) -> None:
    file = text(tmp_path, json.dumps({"next": None, "data": [{"user": "ann", "ts": AT, "type": "x"}]}), "e.json")
    assert "jq -c '.data[]'" in read(file)[1].refused


@pytest.mark.parametrize(("header", "says"), [("user ts type", "--sep"), ("Report", "the first line must name the columns")])
def test_a_header_of_one_column_is_explained(header: str, says: str, tmp_path: Path) -> None:
    assert says in read(csv(tmp_path, "a b c", header=header))[1].refused


def test_a_column_told_in_another_spelling_is_guessed_at(tmp_path: Path) -> None:
    _, summary = read(csv(tmp_path, f"ann,{AT},x", header="uid,at,what"), mapping=read_mapping(["user=UID,ts=at,type=what"]))
    assert "did you mean uid?" in summary.refused


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        (["ann", "ann\u200b"], "1 id holds invisible"),
        (["1.23457E+12", "1.23457E+12", "x"], "2 ids look like 1.23457E+12"),
        (["(not set)", "x"], "nobody in particular: '(not set)' (1)"),
    ],
)
def test_users_that_another_program_has_spoiled_are_warned_of(ids: list[str], says: str, tmp_path: Path) -> None:
    frame, summary = read(csv(tmp_path, *(f"{one},{AT},x," for one in ids)))
    assert frame["user"].to_list() == ids
    assert any(says in note for note in summary.notes), summary.notes


def test_numbers_that_32_bits_cannot_tell_apart_are_no_ids(tmp_path: Path) -> None:
    users = pl.Series([7.0, 20_000_001.0], dtype=pl.Float32)
    pl.DataFrame({"user": users, "ts": pl.Series([AT] * 2, dtype=pl.Float32), "type": ["x"] * 2}).write_parquet(tmp_path / "e.parquet")
    frame, summary = read(tmp_path / "e.parquet")
    assert frame["user"].to_list() == ["7"]
    assert reasons(summary) == {("wrong_type", "user"): 1}
    assert any("32-bit floats" in note for note in summary.notes)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("20191031", "--ts-format %Y%m%d"),
        ("20191031130507", "--ts-format %Y%m%d%H%M%S"),
        ("43769", "spreadsheet"),
        ("43769.5", "spreadsheet"),
    ],
)
def test_numbers_that_are_no_epoch_are_called_what_they_look_like(written: str, says: str, tmp_path: Path) -> None:
    frame, summary = read(csv(tmp_path, f"ann,{written},x,"))
    assert not frame.height
    assert any(says in note for note in summary.notes), summary.notes
    assert not any("--oldest" in note for note in summary.notes)
