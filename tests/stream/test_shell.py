"""The thin parts around the core: clock, watchdog, web, command line, simulator, docs."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from confluent_kafka import KafkaException
from kafka.errors import KafkaError
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner

from features.store.server_check import Finding
from stream.cli import app
from stream.cli.context import TOLD, readable
from stream.demo.product import DAY_MS, make_product
from stream.demo.score import score
from stream.faults import WebRefused
from stream.metric import markdown
from stream.processes.clock import ClockSettings, Intake, PartitionLag, decide_tick
from stream.processes.health import build_web, serve
from stream.processes.metrics import METRICS, WorkerMetrics
from stream.processes.preflight import NotReady
from stream.processes.watchdog import CODES, Probe, Watchdog

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("idle_ms", "behind_ms", "silent_ms", "expected"),
    [
        (9_999, 0, 0, "wait"),
        (10_000, 0, 0, "tick"),
        (10_000, 3_600_001, 0, "wait"),  # an old log is being loaded
        (10_000, 0, 10_000, "held"),  # nobody receives anything: an outage upstream must not make honest clicks late
        (10_000, 0, 1_800_000, "tick"),  # but not for ever
    ],
)
def test_when_time_goes_on_by_itself(idle_ms: int, behind_ms: int, silent_ms: int, expected: str) -> None:
    assert decide_tick(ClockSettings(), PartitionLag(idle_ms, behind_ms), silent_ms) == expected


@pytest.mark.parametrize(("faltering_ms", "expected"), [(0, "tick"), (1, "held"), (1_799_999, "held"), (1_800_000, "tick")])
def test_time_is_held_while_intake_is_far_below_its_usual_rate(faltering_ms: int, expected: str) -> None:
    assert decide_tick(ClockSettings(), PartitionLag(10_000, 0), 0, faltering_ms) == expected


def test_a_low_rate_is_usual_after_a_while_and_a_quiet_topic_has_none() -> None:
    intake, total = Intake(), 0
    states = []
    for second, rate in enumerate([50] * 900 + [1] * 3_000):
        total += rate
        intake.saw(total, second)
        states.append(intake.faltering)
    assert not any(states[:900])
    assert states[960]
    assert not states[-1]
    quiet = Intake()
    for second in range(0, 3_600, 60):
        quiet.saw(second // 60, second)
    assert not quiet.faltering


def test_the_watchdog_ends_what_is_bad_for_too_long() -> None:
    bad = [False]
    ended: list[int] = []
    dog = Watchdog([Probe(84, "progress", lambda: bad[0], 10)], ended.append)
    assert dog.look(0) is None
    bad[0] = True
    assert dog.look(1) is None
    assert dog.look(10) is None
    bad[0] = False
    assert dog.look(11) is None
    bad[0] = True
    assert dog.look(12) is None
    tripped = dog.look(23)
    assert tripped is not None
    assert tripped.code in CODES


async def test_web_asks_for_the_token() -> None:
    trouble: list[str] = []
    web = build_web(CollectorRegistry(), list, lambda: trouble, "secret")
    async with TestClient(TestServer(web)) as client:
        assert (await client.get("/ready")).status == 401
        allowed = {"Authorization": "Bearer secret"}
        assert (await client.get("/ready", headers=allowed)).status == 200
        trouble.append("shard 3 is lost")
        answer = await client.get("/ready", headers=allowed)
        assert (answer.status, await answer.text()) == (503, "shard 3 is lost\n")
        assert (await client.get("/metrics", headers=allowed)).status == 200


def test_no_metric_names_a_user() -> None:
    WorkerMetrics(["churn14"])
    assert not [row.name for row in METRICS if "user" in row.labels]


def test_docs_are_made_from_the_tables() -> None:
    from features.users.catalog import catalog_markdown

    assert markdown(METRICS) in (ROOT / "docs" / "metrics.md").read_text()
    assert catalog_markdown() in (ROOT / "docs" / "features.md").read_text()


def test_a_fault_is_one_message_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "churnwatch.toml").write_text("[alerts]\nthreshold = 3\n")
    command = [sys.executable, "-m", "stream", "config", "check"]
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "alerts.threshold: must be between 0 and 1" in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_taken_address_says_what_to_do() -> None:
    web = build_web(CollectorRegistry(), list, list, "")
    served = await serve(web, "127.0.0.1:0")
    try:
        with pytest.raises(WebRefused, match=r"CHURNWATCH_WEB=127\.0\.0\.1:6067"):
            await serve(build_web(CollectorRegistry(), list, list, ""), f"127.0.0.1:{served.port}")
    finally:
        await served.close()


def test_every_error_that_is_told_exists() -> None:
    for name in TOLD:
        module, _, kind = name.rpartition(".")
        if module != "cimpl":  # confluent_kafka's, in C
            assert issubclass(getattr(importlib.import_module(module), kind), Exception)
    assert all("CHURNWATCH_KAFKA" in str(readable(error)) for error in (KafkaException("x"), KafkaError("x")))


def test_a_worker_imports_no_learning() -> None:
    """They would double the time from start to first event."""
    code = (
        "import sys, stream.processes.worker, stream.intake.app; print(*{'river', 'sklearn', 'polars', 'matplotlib'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    "command",
    ["topics create", "ingest {file}", "simulate --days 2 --users 5", "alerts tail", "dlq ls", "user ann", "at-risk", "model ls", "run", "train"],
)  # fmt: skip
def test_without_servers_each_command_says_what_to_do(command: str, tmp_path: Path) -> None:
    (tmp_path / "e.jsonl").write_text('{"user": "a", "ts": 1700000000000, "type": "x"}\n')
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "CHURNWATCH_KAFKA": "127.0.0.1:1", "CHURNWATCH_REDIS": "redis://u:canary@127.0.0.1:1"
    }  # fmt: skip
    args = [part.format(file="e.jsonl") for part in command.split()]
    done = subprocess.run(
        [sys.executable, "-m", "stream", *args], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    # a supervisor starts a long-lived one again: servers may come up after it
    assert done.returncode == (70 if command in {"run", "train"} else 2), done.stderr
    assert "CHURNWATCH_KAFKA" in done.stderr or "CHURNWATCH_REDIS" in done.stderr
    assert len(done.stderr.splitlines()) <= 4
    assert "Traceback" not in done.stderr
    assert "canary" not in done.stderr + done.stdout


def test_a_start_that_a_person_must_mend_is_no_matter_for_a_supervisor() -> None:
    away, wrong = Finding(True, "no Redis", "start it", away=True), Finding(True, "topics missing", "create them")
    assert NotReady([away, Finding(False, "append-only file is off", "set it")]).away
    assert not NotReady([away, wrong]).away
    assert not NotReady([wrong]).away


def test_a_replay_asks_for_a_reason_there_is() -> None:
    result = CliRunner().invoke(app, ["dlq", "replay", "--reason", "unknown_typ"])
    assert "did you mean unknown_type?" in str(result.exception)


def test_the_simulator_knows_who_left() -> None:
    product = make_product(0, 60, 200, 3)
    last = {click.user: click.ts for click in product.clicks}
    assert product.left_ms
    assert all(last[user] == left for user, left in product.left_ms.items())
    found = score([], product.left_ms, 14 * DAY_MS, 60 * DAY_MS)
    assert (found.caught, found.opened) == (0, 0)
    assert found.leavers == sum(left + 14 * DAY_MS <= 60 * DAY_MS for left in product.left_ms.values())
