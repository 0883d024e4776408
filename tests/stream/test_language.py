"""A command says reasons in the language that is asked for, and in English where none is."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from features.users.spec import FeatureSpec
from stream.cli import app
from stream.cli.language import names_of
from stream.settings import load_settings

COMMANDS = (["alerts", "tail"], ["user", "ann"])


@pytest.mark.parametrize("command", COMMANDS)
def test_a_language_there_is_not_is_refused_with_those_there_are(command: list[str]) -> None:
    for result, where in (
        (CliRunner().invoke(app, [*command, "--lang", "fr"]), "--lang"),
        (CliRunner().invoke(app, command, env={"CHURNWATCH_LANG": "fr"}), "CHURNWATCH_LANG"),
    ):
        assert result.exit_code == 2
        for word in (where, "'fr'", "'en', 'zh'"):
            assert word in " ".join(result.output.split())


def test_english_asks_no_server_for_names() -> None:
    nowhere = load_settings(None, {"CHURNWATCH_REDIS": "redis://127.0.0.1:1"})
    assert names_of(nowhere, "en") == FeatureSpec()
