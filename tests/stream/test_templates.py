"""Templates of settings: each is sound as it stands, and speaks of the events of the scenario of its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from insights.scenarios.scenario import load, names
from stream.cli import app
from stream.settings import load_settings
from stream.settings.templates import HERE, templates

NAMES = sorted(templates())
OF_OTHERS = {"error", "disconnect"}
"""Failures, which the scenarios have none of."""


def test_there_is_one_for_each_scenario_and_for_two_kinds_more() -> None:
    assert set(NAMES) == set(names()) | {"saas", "game"}


@pytest.mark.parametrize("name", NAMES)
def test_each_is_sound(name: str) -> None:
    settings = load_settings(HERE / f"{name}.toml", {})
    assert settings["features.funnel"]
    assert settings["features.key_events"]
    assert settings.definitions[0].name != "churn14", "a definition of its own"


@pytest.mark.parametrize("name", sorted(names()))
def test_each_speaks_of_the_events_of_its_scenario(name: str) -> None:
    settings = load_settings(HERE / f"{name}.toml", {})
    made = load(name)
    active = {kind for one in settings.definitions for kind in one.activity}
    asked = {*settings["features.key_events"], *settings["features.funnel"], *settings["features.revenue_events"], *active}
    assert asked <= set(made.steps)
    assert set(settings["features.channels"]) == set(made.channels)


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    out = tmp_path / "churnwatch.toml"
    first = CliRunner().invoke(app, ["init", "--template", "saas", "--out", str(out)])
    assert first.exit_code == 0
    assert out.read_text() == (HERE / "saas.toml").read_text()
    out.write_text("mine")
    second = CliRunner().invoke(app, ["init", "--template", "game", "--out", str(out)])
    assert "stays as it is" in str(second.exception)
    assert out.read_text() == "mine"
