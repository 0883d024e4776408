"""Settings: every fault at once, with the nearest known name; secrets masked."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from stream.settings import SETTINGS, SettingsError, example_toml, load_settings


def test_defaults_are_those_of_the_table() -> None:
    settings = load_settings(None, {})
    assert settings["features.lateness"] == 3_600_000
    assert settings.definitions[0].name == "churn14"
    assert settings.spec(("a",)).key_events == ("a",)


def test_every_fault_at_once(tmp_path: Path) -> None:
    file = tmp_path / "churnwatch.toml"
    file.write_text(
        '[alerts]\nthreshhold = 0.5\nthreshold = 7\n[features]\ntimezone = "Mars/Base"\nlateness = "soon"\n'
        '[[definitions]]\nname = "A b"\nhorizon = "90d"\n[[definitions]]\nkind = "did_event"\n'
    )
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {"CHURNWATCH_APP": "Not Good"})
    text = str(caught.value)
    for part in (
        "alerts.threshhold: unknown setting, did you mean alerts.threshold?",
        "between 0 and 1",
        "Mars/Base",
        '"14d"',
        "A b",
        "62d",
        "target",
        "app.name",
    ):
        assert part in text, part
    assert len(caught.value.faults) >= 8


def test_environment_and_options_win_in_that_order(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from-a-file\n")
    environment = {"CHURNWATCH_KAFKA": "env:1", "CHURNWATCH_MODEL_KEY_FILE": str(secret)}
    settings = load_settings(None, environment)
    assert (settings["kafka.bootstrap"], settings["learning.key"]) == ("env:1", "from-a-file")
    assert load_settings(None, environment, kafka__bootstrap="option:2")["kafka.bootstrap"] == "option:2"


def test_secrets_never_show() -> None:
    settings = load_settings(
        None, {"CHURNWATCH_MODEL_KEY": "canary-1", "CHURNWATCH_REDIS": "redis://user:canary-2@h", "CHURNWATCH_WEB_TOKEN": "canary-3"}
    )
    assert "canary" not in repr(settings)
    assert "canary" not in str(settings.masked())


def test_the_example_says_every_default() -> None:
    text = example_toml()
    bare = "\n".join(
        line.removeprefix("# ") if " = " in line or line.startswith("# [[") else line
        for line in text.splitlines()
        if "Secrets come" not in line
    )
    tree = tomllib.loads(bare)
    for setting in SETTINGS:
        if setting.kind != "secret":
            section, name = setting.name.split(".")
            assert name in tree[section], setting.name


@pytest.mark.parametrize(
    ("name", "value"), [("CHURNWATCH_HISTORY", "events[1]"), ("CHURNWATCH_HISTORY_WEB", "6069"), ("CHURNWATCH_HISTORY_WEB", "0.0.0.0:6069")]
)
def test_a_history_that_cannot_be_read_or_that_everybody_can_ask_is_a_fault(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=r"history\.(dir|web)"):
        load_settings(None, {name: value})


@pytest.mark.parametrize("url", ["redis://:can/ary@h:1", "redis://:can#ary@h", "http://:canary@h:1", "h:6379", "redis://u:canary@h:port"])
def test_an_address_that_cannot_be_read_is_a_fault_that_shows_no_password(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, {"CHURNWATCH_REDIS": url, "CHURNWATCH_KAFKA": "user:canary@h:1", "CHURNWATCH_WEB": "6066"})
    text = str(caught.value)
    assert all(name in text for name in ("redis.url", "kafka.bootstrap", "worker.web"))
    assert "can" not in text.replace("can be", "")


@pytest.mark.parametrize(
    "url",
    [
        "redis://h",
        "redis://h:1/0",
        "rediss://u:p%2F@h.example:6379/2?ssl_cert_reqs=none",
        "redis://:p@ss@[::1]:6379",
        "unix:///run/redis.sock",
    ],
)
def test_addresses_that_are_fine(url: str) -> None:
    settings = load_settings(None, {"CHURNWATCH_REDIS": url, "CHURNWATCH_KAFKA": "a.example:9092,[::1]:9092", "CHURNWATCH_WEB": ""})
    assert settings["redis.url"] == url


RELEASES = """
[[releases]]
name = "2.0"
at = 2026-03-01
touched = "props.version=2.0"
[[releases]]
name = "sale"
at = 2026-03-05T06:00:00
kind = "campaign"
"""


def test_releases_are_read_as_a_command_takes_them(tmp_path: Path) -> None:
    file = tmp_path / "churnwatch.toml"
    file.write_text(RELEASES)
    assert [one.text for one in load_settings(file, {}).releases] == [
        "2.0,at=2026-03-01,touched=props.version=2.0",
        "sale,at=2026-03-05T06:00:00,kind=campaign",
    ]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('name = "a,b"\nat = "2026-03-01"', "without a comma"),
        ('name = "a"\nat = "soon"', "needs a day or an instant"),
        ('name = "a"', "needs a day or an instant"),
        ('name = "a"\nat = "2026-03-01"\nkind = "party"', '"release" or "campaign"'),
        ('name = "a"\nat = "2026-03-01"\ntouched = "pro"', "needs one condition"),
        ('name = "a"\nat = "2026-03-01"\ncolour = "red"', "releases[0].colour: unknown setting"),
        ('name = "sale"\nat = "2026-03-01"\n' + RELEASES, "'sale' is there twice"),
        ("at = 7", "must be text"),
    ],
)
def test_a_release_that_is_none_is_refused_with_what_to_write(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "churnwatch.toml"
    file.write_text(f"[[releases]]\n{line}\n")
    with pytest.raises(SettingsError) as error:
        load_settings(file, {})
    assert says in str(error.value)


def test_reports_are_read_and_what_is_wrong_with_them_is_said_with_the_fix(tmp_path: Path) -> None:
    file = tmp_path / "churnwatch.toml"
    file.write_text(
        '[features]\ntimezone = "Asia/Shanghai"\n[mail]\nhost = "mail.example.org"\nfrom = "churnwatch@example.org"\n'
        '[[reports]]\nname = "monday"\nevery = "week"\nat = "07:30"\nlang = "zh"\nto = ["ann@example.org"]\n'
        '[[reports]]\nname = "daily"\nfolder = "out"\nzone = "Europe/Berlin"\n'
    )
    weekly, daily = load_settings(file, {}).reports
    assert (weekly.weekday, weekly.hour, weekly.minute, weekly.zone, weekly.lang, weekly.to) == (
        0, 7, 30, "Asia/Shanghai", "zh", ("ann@example.org",)
    )  # fmt: skip
    assert (daily.weekday, daily.hour, daily.zone, daily.folder) == (None, 8, "Europe/Berlin", "out")

    file.write_text(
        '[mail]\ntls = "startls"\npassword = "secret of mine"\n[[reports]]\nname = "a"\nto = ["ann"]\non = "monday"\nat = "8"\n'
        '[[reports]]\nname = "a/b"\nevery = "month"\nzone = "Mars"\nlang = "de"\nwhen = 1\n'
        '[[reports]]\nname = "twice"\nto = ["ann@example.org"]\n[[reports]]\nname = "twice"\nfolder = "x"\n'
    )
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {})
    text = str(caught.value)
    for part in (
        "reports[0].to: must be addresses such as \"ann@example.org\", got 'ann'",
        "reports[0].on: a daily report comes on every day",
        "reports[0].at: a time of day such as \"08:00\", got '8'",
        "reports[1].name: give it one",
        'reports[1].every: "day" or "week", got \'month\'',
        "reports[1].zone: no zone 'Mars'",
        'reports[1].lang: "en" or "zh"',
        "reports[1].when: unknown setting",
        "reports[1]: nobody would get it",
        "two are called 'twice'",
        "mail.host: [[reports]] twice sends mail",
        "mail.from: [[reports]] twice sends mail",
        "mail.tls: one of starttls, tls, none, got 'startls', did you mean starttls?",
        "mail.user: a password is of no use without its user",
    ):
        assert part in text, part
    assert "secret of mine" not in text


def test_watches_are_read_and_what_is_wrong_with_them_is_said_with_the_fix(tmp_path: Path) -> None:
    file = tmp_path / "churnwatch.toml"
    file.write_text('[[watches]]\nname = "day 7"\nanalysis = "retention"\nmetric = "retention"\ncell = { k = 7 }\nfalls = 0.1\n')
    (watch,) = load_settings(file, {}).watches
    assert (watch.rule, watch.bound, watch.cell, watch.on, watch.least, watch.topic) == ("falls", 0.1, {"k": 7}, "complete", 30, True)
    file.write_text(
        '[[watches]]\nname = "a"\nabove = 1\nbelow = 2\nmetrik = "x"\n'
        '[[watches]]\nname = "b"\nanalysis = "retention"\nmetric = "retention"\nfalls = -0.1\non = "open"\nleast = 0\ntopic = false\n'
        '[[watches]]\nname = "c"\nanalysis = "retention"\nmetric = "retention"\nabove = 0.5\nto = ["ann@example.org"]\n'
    )
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {})
    for part in (
        "watches[0].metrik: unknown setting, did you mean metric?",
        "watches[0].analysis: name one",
        "watches[0]: say one of above, below, rises and falls, with a number, got above, below",
        "watches[1].falls: must be a number, above 0",
        'watches[1].on: "complete" or "forecast", got \'open\'',
        "watches[1].least: must be a whole number of people, at least 1, got 0",
        "watches[1]: nobody would be told",
        "mail.host: [[watches]] c sends mail",
    ):
        assert part in str(caught.value), part


def test_tables_are_read_and_what_is_wrong_with_them_is_said_with_the_fix(tmp_path: Path) -> None:
    file, database = tmp_path / "churnwatch.toml", {"CHURNWATCH_BI_DATABASE": "postgresql://bi:secret@db.example/bi"}
    file.write_text(
        '[[tables]]\nname = "weekly"\nanalysis = "retention"\nparameters = { unit = "week" }\nfolder = "out"\ntable = "bi.retention"\n'
        '[[tables]]\nname = "back"\nquestion = "back"\nevery = "week"\non = "friday"\nat = "05:30"\nzone = "Asia/Shanghai"\nfolder = "out"\nforms = ["csv", "xlsx"]\n'
    )
    found = load_settings(file, database)
    weekly, back = found.tables
    assert (weekly.analysis, weekly.parameters, weekly.forms, weekly.recipients) == (
        "retention", {"unit": "week"}, ("parquet",), ["folder:out", "table:bi.retention"]
    )  # fmt: skip
    assert (weekly.weekday, weekly.hour, weekly.zone, weekly.what) == (None, 6, "UTC", "table weekly")
    assert (back.question, back.weekday, back.hour, back.minute, back.zone, back.forms) == (
        "back",
        4,
        5,
        30,
        "Asia/Shanghai",
        ("csv", "xlsx"),
    )
    assert "bi:secret" not in repr(found)

    file.write_text(
        '[[tables]]\nname = "a"\nanalysis = "retention"\nquestion = "back"\nparameters = { unit = "week" }\nat = "6"\nforms = ["excel"]\n'
        '[[tables]]\nname = "b:c"\ntable = "drop table"\nfoldr = "x"\n'
        '[[tables]]\nname = "twice"\nanalysis = "rfm"\ntable = "t"\n[[tables]]\nname = "twice"\nanalysis = "rfm"\nfolder = "x"\n'
    )
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {})
    for part in (
        "tables[0]: name an analysis (docs/analyses.md) with its parameters, or a question that is kept",
        "tables[0].parameters: a kept question has its own",
        "tables[0].at: a time of day",
        "tables[0].forms: any of parquet, csv, xlsx, got 'excel'",
        "tables[0].folder: files need a folder",
        "tables[0]: it would go nowhere",
        "tables[1].name: give it one",
        "tables[1].table: small letters, digits and _",
        "tables[1].foldr: unknown setting, did you mean folder?",
        "tables: two are called 'twice'",
        "bi.database: [[tables]] twice goes into PostgreSQL, so set CHURNWATCH_BI_DATABASE",
    ):
        assert part in str(caught.value), part
    with pytest.raises(SettingsError, match="must be an address such as") as caught:
        load_settings(file, {"CHURNWATCH_BI_DATABASE": "mysql://bi:secret@x/y"})
    assert "bi:secret" not in str(caught.value)
