"""docker-compose.yml without Docker: parsed, and its commands started as they stand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stream.demo.local_redis import LocalRedis
from stream.processes.metrics import METRICS
from tests.faults.bench_world import World, made_up_log
from tests.servers.process import wait_until

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


def test_the_parts_are_there() -> None:
    assert {"kafka", "redis", "worker-1", "worker-2", "trainer", "prometheus", "grafana"} <= SERVICES.keys()
    assert "controller" in SERVICES["kafka"]["environment"]["KAFKA_PROCESS_ROLES"]


def test_redis_keeps_what_it_was_given() -> None:
    command = SERVICES["redis"]["command"]
    assert command[command.index("--appendonly") + 1] == "yes"
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_every_variable_is_a_setting() -> None:
    from stream.settings import SETTINGS

    known = {setting.env for setting in SETTINGS}
    assert set(SERVICES["worker-1"]["environment"]) <= known


def test_prometheus_asks_the_workers() -> None:
    config = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())
    targets = config["scrape_configs"][0]["static_configs"][0]["targets"]
    assert {target.partition(":")[0] for target in targets} == {name for name in SERVICES if name.startswith("worker")}


def test_the_dashboard_asks_for_metrics_there_are() -> None:
    mounted = {volume.split(":")[1] for volume in SERVICES["grafana"]["volumes"]}
    provider = yaml.safe_load((ROOT / "deploy/grafana/provisioning/dashboards/churnwatch.yml").read_text())["providers"][0]
    assert provider["options"]["path"] in mounted
    dashboard = json.loads((ROOT / "deploy/grafana/dashboards/churnwatch.json").read_text())
    ending = {"counter": "_total", "gauge": "", "histogram": "_bucket"}
    known = {row.name + ending[row.kind] for row in METRICS}
    asked = {name for panel in dashboard["panels"] for target in panel["targets"] for name in re.findall(r"churnwatch_\w+", target["expr"])}
    assert asked <= known
    assert {"churnwatch_lag_records", "churnwatch_timers_overdue", "churnwatch_dead_letters_total", "churnwatch_model_labels"} <= asked


@pytest.mark.real_kafka
@pytest.mark.real_redis
@pytest.mark.timeout(180)
def test_its_commands_do_their_work(kafka: str, tmp_path: Path, app_name: str) -> None:
    with LocalRedis(tmp_path / "redis") as redis:
        world = World(kafka, redis.url, app_name, tmp_path)
        try:
            commands = [SERVICES[name]["command"] for name in ("topics", "worker-1", "worker-2", "trainer")]
            assert all(command[0] == "churnwatch" for command in commands)
            assert world.start(*commands[0][1:]).process.wait(60) == 0
            programs = [world.start(*command[1:]) for command in commands[1:]]
            sent = world.produce(made_up_log(10_000, 1_000, 5.0))
            world.wait_taken(sent, 90)
            wait_until(lambda: bool(world.client.exists(f"cw:{app_name}:trainer")), 60, "the trainer took its place", world.tails)
            assert [program.terminate() for program in programs] == [0, 0, 0], world.tails()
        finally:
            world.stop_all()
