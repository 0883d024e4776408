"""Every command on ids, types, channels and reasons that are meant to do harm: shown as they are, and nothing takes effect."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import json
import os
import re
import subprocess
import sys
import time
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
import typer
from confluent_kafka import Producer
from typer.testing import CliRunner

from features.compiled.texts import ids_of
from features.definitions.definition import DAY_MS
from features.store.contract import Commit
from features.store.keys import shard_keys
from features.store.redis import RedisStore, connect
from features.users.landmarks import phase_of
from features.users.packed_state import pack_states
from features.users.state import FLAG_ARMED, init_state, state_dtype
from features.users.update import apply_event
from insights.analyses.catalog import CATALOG
from insights.history.tables import ALERTS, SCORES
from online_models.registry_redis import RedisRegistry
from stream.cli import app, main
from stream.cli.reference import commands_of
from stream.demo.local_redis import LocalRedis
from stream.ownership.served import model_key
from stream.processes.preflight import judge_spec, look_at_kafka
from stream.processes.trainer import Training, trainer_settings
from stream.settings import load_settings
from stream.shard.dead_letters import DeadLetter
from stream.shard.meta import ShardMeta
from stream.shown import visible
from tests.insights.example import append
from tests.online_models.test_learning import make_blocks
from tests.stream.test_alerts import ALERT, RESOLVED_ALERT
from tests.stream.topics import make_topics

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis]

HOSTILE = (
    "[/]",
    "[bold red]ann[/bold red]",
    "[link=https://example.org]click[/link]",
    "\x1b[2J\x1b[31mred",
    "\x1b]0;owned\x07",
    "\x9b31mred",
    "ann\u202egnp.exe",
    "zero\u200bwidth",
    "two\nlines",
    "back\r2026-01-01 at risk",
    "tab\tin",
    '=HYPERLINK("http://example.org";"x")',
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "-3.5",
    "<script>alert(1)</script>",
    ":smile:",
    '"quoted", with a comma',
    "$\\frac",
    "{0} {user} %s %(x)s",
    "李雷 🙂",
    "long-" + "x" * 200,
)
TOML = """
[learning]
batch = 64
min_labels = 50
window = 500
models = ["cadence", "logistic", "mix"]
[features]
channels = ["[/]", "<script>", "\\u001b[2J", "=1+1", "$\\\\frac"]
funnel = ["[bold]", "\\u202e"]
[[definitions]]
name = "gone"
"""


@dataclass
class Deployment:
    """An app whose users, alerts, dead letters, models and settings are all hostile."""

    folder: Path
    environment: dict[str, str]
    topics: dict[str, str]
    version: int


async def _store_users(redis_url: str, name: str, settings: Any) -> None:
    spec = settings.spec()
    client = connect(redis_url)
    judge_spec(client, settings, look_at_kafka(settings), ())
    store = RedisStore(client, name)
    taken = await store.take(0, 1)
    states = np.zeros(len(HOSTILE), state_dtype(1))
    now_ms = time.time_ns() // 1_000_000
    armed: dict[int, list[str]] = {}
    for slot, user in enumerate(HOSTILE):
        init_state(states, slot, phase_of(user))
        for day in (9, 6, 5):
            apply_event(
                states[slot], now_ms - day * DAY_MS, spec.type_word("click") | spec.channel_bits("[/]"), 9.5, 0, spec.session_gap_ms
            )
        armed.setdefault(int(states[slot]["phase"]), []).append(user)
    states["flags"], states["scored_ms"], states["alert_open"] = FLAG_ARMED, now_ms, 1
    states["risk"] = np.arange(len(HOSTILE))[:, None] + 60_000
    packed = pack_states(states, np.arange(len(states)), ids_of(HOSTILE))
    await store.commit(0, Commit(taken.token, taken.commit_no, ShardMeta().pack(), list(HOSTILE), packed, armed=armed))
    for text in HOSTILE:
        client.rpush(shard_keys(name, 0).state(f"lost {text}"), "x")  # no state: `state check` names the key
    store.close()
    client.close()


def _publish(kafka: str, topics: dict[str, str]) -> None:
    producer = Producer({"bootstrap.servers": kafka})
    for number, text in enumerate(HOSTILE):
        opened = msgspec.structs.replace(ALERT, user=text, reasons=[text] * 3, model=text, definition=text)
        resolved = msgspec.structs.replace(RESOLVED_ALERT, user=text, definition=text)
        for alert in (opened, resolved):
            producer.produce(topics["alerts"], msgspec.json.encode(alert), partition=0)
        for payload in (text.encode(), b"\xff\x1b[2J" + text.encode()):
            encoded = base64.b64encode(payload).decode()
            letter = DeadLetter(partition=0, offset=number, reason="not_json", append_ms=0, payload_bytes=len(payload), payload=encoded)
            producer.produce(topics["dead_letters"], msgspec.json.encode(letter), partition=0)
    producer.produce(topics["alerts"], b"\x1b[2J no alert", partition=0)
    assert producer.flush(20) == 0


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory, redis_server: LocalRedis, kafka: str) -> Deployment:
    folder, name = tmp_path_factory.mktemp("hostile"), f"hostile-{os.getpid()}"
    (folder / "churnwatch.toml").write_text(TOML)
    topics = make_topics(kafka, f"{name}-", 1)
    environment = {
        f"CHURNWATCH_{key}": value
        for key, value in (("APP", name), ("REDIS", redis_server.url), ("KAFKA", kafka), ("TOPIC_PREFIX", f"{name}-"))
    }
    settings = load_settings(folder / "churnwatch.toml", environment)
    asyncio.run(_store_users(redis_server.url, name, settings))
    registry = RedisRegistry(connect(redis_server.url), name)
    training = Training(trainer_settings(settings), registry, settings.spec().hash, model_key(settings), fresh=True)
    for number, (_, block) in enumerate(make_blocks()):
        training.feed(number, 0, msgspec.structs.replace(block, spec_hash=settings.spec().hash).pack())
    _publish(kafka, topics)
    _files(folder)
    environment["CHURNWATCH_HISTORY"] = str(folder / "<b>history")
    told = CliRunner().invoke(
        app,
        ["history", "import", str(folder / "<b>=1+1 events.parquet")],
        env=environment | {"CHURNWATCH_CONFIG": str(folder / "churnwatch.toml")},
    )
    assert told.exit_code == 0, told.output
    _judge(folder / "<b>history")
    return Deployment(folder, environment, topics, training.trainer.learners["gone"].version)


def _files(folder: Path) -> None:
    now_ms = time.time_ns() // 1_000_000
    rows = [(user, now_ms - day * DAY_MS, user, user, 1.0) for day in range(60, 0, -1) for user in HOSTILE]
    frame = pl.DataFrame(rows, schema=["user", "ts", "type", "channel", "value"], orient="row")
    frame.write_parquet(folder / "<b>=1+1 events.parquet")
    (folder / "<b>\x1b(0bad.jsonl").write_text('{"user": "[/]", "when": "\\u001b[2J"}\n')


def _judge(history: Path) -> None:
    """Put risks and alerts of everybody into the history, as if an engine had judged them."""
    mark = datetime.now(UTC) - timedelta(days=1)
    who = pl.DataFrame({"user": HOSTILE, "definition": ["gone"] * len(HOSTILE), "landmark": [mark] * len(HOSTILE)}).with_row_index("number")
    risks = {"risk": 0.5, "model_version": 1, "flags": 0, "matured": mark + timedelta(days=15), "lineage": "0", "shard": 0}
    append(history, SCORES, who.with_columns(pl.lit(value).alias(name) for name, value in risks.items()))
    opened = {"type": "opened", "event_time": mark, "part": 0}
    named = who.with_columns(alert_id="user", reason_codes=pl.concat_list("user"), reasons=pl.concat_list("user"), off="number")
    append(history, ALERTS, named.with_columns(pl.lit(value).alias(name) for name, value in opened.items()))


@dataclass
class Said:
    """What a command printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def say_in(deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def run(*arguments: str, window: int = 0) -> Said:
        monkeypatch.chdir(deployment.folder)
        for name, value in deployment.environment.items():
            monkeypatch.setenv(name, value)
        if window:
            monkeypatch.setenv("TTY_COMPATIBLE", "1")
            monkeypatch.setenv("COLUMNS", str(window))
        monkeypatch.setattr(sys, "argv", ["churnwatch", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Said(int(ended.value.code or 0), out, err)

    return run


COLOUR = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\?25[lh]|\x1b\[2K|\x1b\[1A|\r")
"""What our own colours and progress bars send to a terminal."""
ACTS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def harmless(text: str) -> bool:
    return not [one for one in COLOUR.sub("", text) if unicodedata.category(one) in ACTS and one != "\n"]


@dataclass
class Case:
    """One way to call a command.

    Attributes
    ----------
    shows : tuple of str
        Hostile texts that must be readable in what it prints.
    code : int
        Exit code.
    """

    arguments: tuple[str, ...]
    shows: tuple[str, ...] = ()
    code: int = 0


CHINESE = "已 9.8 天没有活动，平时 23 小时内会回来。近期操作中有 26% 出错。来自渠道“[/]”。"  # noqa: RUF001 - Chinese has a punctuation of its own
"""The reasons of `ALERT` by their codes; the channel's name is a hostile one."""
CHANNELS = ("[/]", "<script>", "\x1b[2J", "=1+1")
CASES: dict[str, list[Case]] = {
    "run": [Case(("run", "--partial"), code=2)],
    "train": [],  # it prints log lines only; see the test of a worker that is refused below
    "demo": [Case(("demo", "--users", "[/]\x1b[2J"), code=2)],
    "simulate": [Case(("simulate", "--days", "1", "--users", "1", "--out", "[bold]out.jsonl"), ("[bold]out.jsonl",))],
    "ingest": [
        Case(("ingest", "<b>=1+1 events.parquet", "--force"), ("<b>=1+1 events.parquet",)),
        Case(("ingest", "--check", "--json", "<b>=1+1 events.parquet")),
        Case(("ingest", "--check", "<b>\x1b(0bad.jsonl"), ("<b>\x1b(0bad.jsonl",), code=2),
        Case(("ingest", "<b>\x1b(0bad.jsonl"), ("<b>\x1b(0bad.jsonl",), code=2),
        Case(("ingest", "[/]\x1b]0;none\x07.csv"), ("[/]\x1b]0;none\x07.csv",), code=2),
    ],
    "backtest": [
        Case(("backtest", "<b>=1+1 events.parquet", "--out", "[/]out", "--model", "cadence"), ("[/]out",)),
        Case(("backtest", "<b>=1+1 events.parquet", "--out", "out", "--definition", "[/]\x1b"), ("[/]\x1b",), code=2),
    ],
    "user": [
        *(Case(("user", "--", one), (one,)) for one in HOSTILE),
        Case(("user", "--json", "[/]")),
        Case(("user", "--lang", "zh", "--", "[/]"), ("raised by  已", "天没有活动")),
        Case(("user", "[/]nobody\x1b[2J\u202e"), code=2),
    ],
    "at-risk": [
        Case(("at-risk", "--top", "50"), HOSTILE),
        Case(("at-risk", "--top", "50", "--csv")),
        Case(("at-risk", "--top", "50", "--json")),
        Case(("at-risk", "--definition", "[/]\x1b"), ("gone",), code=2),
    ],
    "sql": [
        Case(("sql", "select distinct type from events order by type limit 100"), tuple(one for one in HOSTILE if len(one) < 60)),
        Case(("sql", "select distinct type from events order by type", "--json")),
        Case(("sql", "select '[/]\x1b[2J"), code=2),
        Case(("sql", "select * from read_csv('/etc/passwd')"), code=2),
    ],
    "report": [
        Case(("report", "--out", "[/]<b>.html"), ("[/]<b>.html",)),
        Case(("report", "--out", "[/]\x1b]0;none\x07.txt"), ("[/]\x1b]0;none\x07.txt",), code=2),
        Case(("report", "--due"), ("[[reports]]",), code=2),
    ],
    "tables ls": [Case(("tables", "ls"), ("[[tables]]",), code=2)],
    "tables check": [Case(("tables", "check"), ("[[tables]]",), code=2)],
    "tables write": [Case(("tables", "write", "[/]"), ("[[tables]]",), code=2)],
    "watch ls": [Case(("watch", "ls"), ("[[watches]]",), code=2)],
    "watch check": [Case(("watch", "check"), ("[[watches]]",), code=2)],
    "segment save": [
        Case(("segment", "save", "hostile", "--title", "[/]<b>", "--rule", "channel = [/]\x1b[2J"), ("[/]",)),
        Case(("segment", "save", "[/]\x1b[2J", "--rule", "purchases >= 1"), ("[/]\x1b[2J",), code=2),
        Case(("segment", "save", "x", "--rule", "[/]\x1b[2J"), ("[/]\x1b[2J",), code=2),
        Case(("segment", "save", "x", "--file", "[/]\x1b]0;none\x07.csv"), ("[/]\x1b]0;none\x07.csv",), code=2),
    ],
    "config export": [Case(("config", "export"), ("[/]<b>",))],
    "segment ls": [Case(("segment", "ls"), ("[/]<b>", "[/]\x1b[2J"))],
    "segment rm": [Case(("segment", "rm", "[/]\x1b[2J"), ("[/]\x1b[2J",), code=2)],
    "history import": [
        Case(("history", "import", "<b>=1+1 events.parquet")),
        Case(("history", "import", "<b>\x1b(0bad.jsonl"), ("<b>\x1b(0bad.jsonl",), code=2),
        Case(("history", "import", "[/]\x1b]0;none\x07.csv"), ("[/]\x1b]0;none\x07.csv",), code=2),
    ],
    "erase": [Case(("erase",), code=2), Case(("erase", "--file", "[/]\x1b]0;none\x07.txt"), ("[/]\x1b]0;none\x07.txt",), code=2)],
    "history erase": [
        Case(("history", "erase", "[/]\x1b[2J", "\u202enobody")),
        Case(("history", "erase", "[/]\x1b[2J", "--check"), code=1),
        Case(("history", "erase", "x" * 300), code=2),
    ],
    "history export": [
        Case(("history", "export", "[/]<b>.csv"), ("[/]<b>.csv",)),
        Case(("history", "export", "[/]\x1b]0;none\x07.txt"), code=2),
    ],
    "history run": [],  # it prints log lines only
    "history status": [Case(("history", "status"), ("<b>history",)), Case(("history", "status", "--json"))],
    "history verify": [Case(("history", "verify")), Case(("history", "verify", "--json"))],
    **{
        name: [
            Case((name, *words), shows),
            Case((name, *words, "--lang", "zh"), shows),
            Case((name, *words, "--json")),
            *([Case((name, *words, "--by", "[/]\x1b[2J"), ("[/]\x1b[2J",), code=2)] if by else []),
        ]
        for name, words, shows, by in (
            ("active-users", ("--by", "channel", "--limit", "50"), ("[bold red]ann[/bold red]",), True),
            ("stickiness", (), (), False),
            ("retention", ("--by", "channel", "--unit", "month", "--limit", "50"), ("[bold red]ann[/bold red]",), True),
            ("lifecycle", (), (), False),
            ("daily-states", (), (), False),
            ("funnel", ("[/]", "\x1b[2J\x1b[31mred"), ("[/]", "\x1b[2J\x1b[31mred"), True),
            ("visits", ("--by", "entry", "--limit", "50"), ("[/]", "ann\u202egnp.exe"), True),
            ("paths", (), ("[/]",), False),
            ("after-drop-off", ("[/]", "\x1b[2J\x1b[31mred"), (), False),
            ("transitions", ("--limit", "100"), (), False),
            ("paths-into-silence", ("--least-people", "1"), (), False),
            ("feature-use", ("--least-people", "1"), ("[/]", "ann\u202egnp.exe"), False),
            ("retained-against-churned", ("--least-people", "0"), (), False),
            ("hours", (), (), False),
            ("tenure-by-frequency", (), (), True),
            ("feedback", (), (), True),
            ("inviters", (), (), True),
            ("errors-by-step", ("--least-people", "1"), ("[/]", "ann\u202egnp.exe"), True),
            ("reasons", ("--least-people", "1"), ("[/]", "ann\u202egnp.exe"), True),
            ("loss-to-come", ("[/]", "\x1b[2J\x1b[31mred"), (), False),
            ("retention-forecast", (), (), False),
            ("releases", ("--releases", "[/],at=2026-03-01"), ("[/]",), False),
            ("value", (), (), False),
            ("rfm", (), (), False),
            ("clusters", (), (), False),
        )
    },
    "alerts tail": [
        Case(("alerts", "tail", "--from-beginning", "--count", str(2 * len(HOSTILE))), HOSTILE),
        Case(("alerts", "tail", "--from-beginning", "--count", str(2 * len(HOSTILE)), "--json")),
        Case(("alerts", "tail", "--from-beginning", "--count", str(2 * len(HOSTILE)), "--lang", "zh"), (*HOSTILE, CHINESE)),
        Case(("alerts", "tail", "--lang", "[/]\x1b[2J"), code=2),
    ],
    "dlq ls": [Case(("dlq", "ls", "--show", "100"), tuple(one for one in HOSTILE if len(one) < 100))],
    "dlq replay": [
        Case(("dlq", "replay", "--reason", "[/]\x1b[2J"), code=2),
        Case(("dlq", "replay", "--reason", "not_json")),
    ],
    "model ls": [Case(("model", "ls")), Case(("model", "ls", "-d", "[/]\x1b[2J"), ("gone",), code=2)],
    "model show": [Case(("model", "show"), ("gone",)), Case(("model", "show", "999"), code=2)],
    "model compare": [Case(("model", "compare", "1", "2"))],
    "model promote": [Case(("model", "promote", "[/]\x1b[2J"), code=2)],
    "model pin": [Case(("model", "pin", "1"))],
    "model unpin": [Case(("model", "unpin"))],
    "model rollback": [Case(("model", "rollback"))],
    "model export": [Case(("model", "export", "1", "--out", "[/]\x1b[2J.json"), ("[/]\x1b[2J.json",))],
    "model rebuild": [Case(("model", "rebuild"))],
    "state check": [Case(("state", "check"), HOSTILE, code=2), Case(("state", "check", "--partition", "9"), code=2)],
    "topics create": [Case(("topics", "create"))],
    "web": [],  # the page itself has tests of its own
    "web people add": [],  # reads a password; see tests/web/access/test_commands.py
    "web people password": [],  # the same
    "web people ls": [Case(("web", "people", "ls"))],
    "web people role": [Case(("web", "people", "role", "[/]\x1b[2J", "viewer"), ("[/]\x1b[2J",), code=2)],
    "web people disable": [Case(("web", "people", "disable", "[/]\u202e"), ("[/]\u202e",), code=2)],
    "web people enable": [Case(("web", "people", "enable", "<b>\x9b"), ("<b>\x9b",), code=2)],
    "web token make": [
        Case(("web", "token", "make", "[/]<b>", "--scope", "read:people"), ("[/]<b>",)),
        Case(("web", "token", "make", "\x1b[2J", "--scope", "read:people"), code=2),
        Case(("web", "token", "make", "crm", "--scope", "[/]\x1b[2J"), ("[/]\x1b[2J",), code=2),
    ],
    "web token ls": [Case(("web", "token", "ls"))],
    "web token revoke": [Case(("web", "token", "revoke", "[/]\x1b[2J"), ("[/]\x1b[2J",), code=2)],
    "explore": [Case(("explore", "[/]\x1b[2J.csv"), ("[/]",), code=2), Case(("explore", "x", "--no-serve"), code=2)],
    "init": [
        Case(("init",)),
        Case(("init", "--template", "<b>\x1b[2J"), ("<b>",), code=2),
        Case(("init", "--template", "game", "--out", "[/]\x1b[2J.toml"), ("[/]",)),
    ],
    "config check": [Case(("config", "check"))],
    "config show": [Case(("config", "show"), ("[/]", "<script>"))],
    "config key": [Case(("config", "key", "[/]\x1b[2J.key"), ("[/]\x1b[2J.key",))],
    "config example": [Case(("config", "example"))],
}


ANALYSES = {name.replace("_", "-") for name in CATALOG}
COMMANDS = dict(commands_of(typer.main.get_command(app)))


def test_no_command_is_left_out() -> None:
    assert COMMANDS.keys() == CASES.keys()


ALL = [case for cases in CASES.values() for case in cases]


@pytest.mark.parametrize("case", ALL, ids=lambda case: " ".join(map(visible, case.arguments))[:60])
def test_nothing_shown_takes_effect(case: Case, deployment: Deployment, say_in: Callable[..., Said]) -> None:
    said = say_in(*_numbers(case.arguments, deployment))
    assert said.code == case.code, said.err
    assert harmless(said.out + said.err)
    for text in case.shows:
        assert visible(text) in said.out + said.err


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize(
    "case",
    [one for one in ALL if one.code == 0 and one.arguments[0] in {"user", "at-risk", "alerts", "dlq"}],
    ids=lambda case: " ".join(map(visible, case.arguments))[:60],
)
def test_nothing_shown_in_a_window_takes_effect_or_breaks_a_table(
    case: Case, width: int, deployment: Deployment, say_in: Callable[..., Said]
) -> None:
    said = say_in(*_numbers(case.arguments, deployment), window=width)
    assert said.code == case.code, said.err
    assert harmless(said.out + said.err)


def _numbers(arguments: tuple[str, ...], deployment: Deployment) -> list[str]:
    """Versions 1 and 2 stand for the two newest: older ones are thrown away."""
    if arguments[0] != "model":
        return list(arguments)
    return [{"1": str(deployment.version - 1), "2": str(deployment.version)}.get(one, one) for one in arguments]


def test_every_command_with_json_prints_valid_json(deployment: Deployment, say_in: Callable[..., Said]) -> None:
    for name, command in COMMANDS.items():
        cases = [case for case in CASES[name] if "--json" in case.arguments]
        assert bool(cases) == any("--json" in option.opts for option in command.params), f"{name} needs a case with --json"
        for case in cases:
            out = say_in(*case.arguments).out
            assert out.strip()
            if name == "user":
                assert json.loads(out)["user"] == "[/]"
            elif name.startswith("history"):
                assert json.loads(out)
            elif name in ANALYSES:
                assert {"as_of", "rows"} <= json.loads(out).keys()
            elif name == "sql":
                assert {row["type"] for row in json.loads(out)["rows"]} == set(HOSTILE)
            elif name == "ingest":
                assert [json.loads(line)["file"] for line in out.splitlines()] == ["<b>=1+1 events.parquet"]
            else:
                users = {json.loads(line)["user"] for line in out.splitlines()}
                assert users == set(HOSTILE)


def test_a_spreadsheet_runs_no_formula_and_splits_no_cell(say_in: Callable[..., Said]) -> None:
    out = say_in("at-risk", "--top", "50", "--csv").out
    rows = list(csv.reader(io.StringIO(out)))
    assert {len(row) for row in rows} == {len(rows[0])}
    users = {row[0] for row in rows[1:]}
    assert len(users) == len(HOSTILE)
    assert not [user for user in users if user.startswith(("=", "+", "@", "\t", "\r"))]
    assert "-3.5" in users
    assert "'-2+3" in users


def test_files_of_an_analysis_run_no_formula_and_hold_no_code(deployment: Deployment, say_in: Callable[..., Said]) -> None:
    asked = ("active-users", "--by", "channel", "--limit", "50")
    rows = list(csv.reader(io.StringIO(say_in(*asked, "--csv").out)))
    assert len({len(row) for row in rows}) == 1
    groups = {row[rows[0].index("group")] for row in rows[1:]}
    assert len(groups) == len(HOSTILE)
    assert not [one for one in groups if one.startswith(("=", "+", "@", "\t", "\r"))]
    for file in ("[/]people.html", "people.csv", "people.xlsx", "people.parquet", "people.json"):
        assert say_in(*asked, "--out", file).code == 0
    page = (deployment.folder / "[/]people.html").read_text()
    assert "<script>alert" not in page
    assert harmless(page)
    with zipfile.ZipFile(deployment.folder / "people.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet.lower()
    written = list(csv.reader((deployment.folder / "people.csv").open(newline="")))
    assert written == rows


def test_a_worker_refused_for_hostile_settings_says_so_harmlessly(deployment: Deployment) -> None:
    environment = {**os.environ, **deployment.environment, "PYTHONPATH": str(Path(__file__).parents[2])}
    for command, changed, says in (
        ("run", {"CHURNWATCH_TOPIC_PREFIX": "[/]\x1b[2J\u202e"}, "cannot start"),
        ("train", {"CHURNWATCH_REDIS": "redis://127.0.0.1:1/0?[/]\x1b[2J"}, "CHURNWATCH_REDIS"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "stream", command], cwd=deployment.folder, env={**environment, **changed}, capture_output=True, text=True, check=False, timeout=180
        )  # fmt: skip
        assert done.returncode in {2, 70}, done.stderr
        assert says in done.stderr
        assert harmless(done.stdout + done.stderr)
        assert "Traceback" not in done.stderr


def test_the_page_of_a_backtest_holds_no_code_of_its_events(deployment: Deployment, say_in: Callable[..., Said]) -> None:
    assert say_in("backtest", "<b>=1+1 events.parquet", "--out", "page", "--model", "cadence", "--horizon", "7d").code == 0
    page = (deployment.folder / "page" / "report.html").read_text()
    assert "<script>" not in page
    assert harmless(page)
