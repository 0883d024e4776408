"""The rules of alerts are sound, ask for metrics there are, and each has its place in the runbook, as every exit code has."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from insights.history.live.metrics import HISTORY_METRICS
from insights.web.metrics import PAGE_METRICS
from stream.faults import ServerMissing
from stream.processes.metrics import METRICS
from stream.processes.program import EXIT_CRASH, EXIT_OK, EXIT_REFUSED, EXIT_SLOW_STOP
from stream.processes.watchdog import CODES
from tests.conftest import missing
from tests.servers.prometheus import program

ROOT = Path(__file__).parents[1]
RULES = ROOT / "deploy" / "rules" / "churnwatch.yml"
GROUPS: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["groups"]
EVERY = [rule for group in GROUPS for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in EVERY if "alert" in rule}
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=\n##|\Z)", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE | re.DOTALL))


def test_each_alert_and_each_exit_code_has_its_section() -> None:
    codes = {str(code) for code in (EXIT_OK, EXIT_REFUSED, EXIT_CRASH, EXIT_SLOW_STOP, *CODES)}
    assert set(SECTIONS) == set(ALERTS) | codes
    assert [name for name, text in SECTIONS.items() if len(text.split()) < 8] == []


def test_each_alert_says_how_urgent_it_is_and_what_is_wrong() -> None:
    assert len(ALERTS) > 20
    assert {rule["labels"]["severity"] for rule in ALERTS.values()} == {"page", "ticket"}
    assert all(rule["annotations"]["summary"] for rule in ALERTS.values())


def test_the_rules_ask_for_metrics_there_are() -> None:
    endings = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count")}
    known = {row.name + ending for row in (*METRICS, *HISTORY_METRICS, *PAGE_METRICS) for ending in endings[row.kind]}
    recorded = {rule["record"] for rule in EVERY if "record" in rule}
    for rule in EVERY:
        asked = set(re.findall(r"churnwatch[\w:]*\w", re.sub(r'"[^"]*"', "", rule["expr"])))
        assert asked <= known | recorded, rule


@pytest.mark.parametrize("what", [("check", "rules", "churnwatch.yml"), ("test", "rules", "tests.yml")], ids=lambda what: what[0])
def test_promtool_finds_them_right(what: tuple[str, str, str]) -> None:
    try:
        tool = program("promtool")
    except ServerMissing as error:
        missing(error)
    done = subprocess.run([tool, what[0], what[1], str(RULES.parent / what[2])], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_is_tried() -> None:
    tests = yaml.safe_load((RULES.parent / "tests.yml").read_text())["tests"]
    assert {test["name"] for test in tests[1:]} == set(ALERTS)


def test_prometheus_is_given_the_rules() -> None:
    config = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())
    volumes = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["prometheus"]["volumes"]
    mounted = dict(volume.removesuffix(":ro").split(":") for volume in volumes)
    (file,) = config["rule_files"]
    folder, _, name = file.rpartition("/")
    assert mounted["./deploy/rules"] == folder
    assert (ROOT / "deploy" / "rules" / name).exists()
