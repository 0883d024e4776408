"""README and docs name every command, and no command or option that is not there."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from insights.analyses.catalog import CATALOG
from stream.cli import app
from stream.cli.overview import SECTIONS, first_sentence
from stream.cli.reference import commands_markdown, commands_of

ROOT = Path(__file__).parents[1]
CALL = re.compile(r"(?<![\w.-])churnwatch ((?:[^`\n#|;]|\\|)+)")
ROOT_COMMAND: Any = typer.main.get_command(app)
ROOT_COMMAND.load()
COMMANDS = dict(commands_of(ROOT_COMMAND))


def pages() -> list[str]:
    """Pages that say what to do today; the change log and the hand-over say what was."""
    done = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.splitlines() if name not in {"CHANGELOG.md", "docs/handover.md"} and "decisions" not in name]


def calls(text: str) -> list[list[str]]:
    """Calls of the command line in a page, as words; the name alone, as in "churnwatch is", is none.

    >>> calls("say `churnwatch model ls -d NAME`, then churnwatch scores silence")
    [['model', 'ls', '-d', 'NAME']]
    """
    found = []
    for match in CALL.finditer(text):
        try:
            words = shlex.split(match[1])
        except ValueError:  # a lone apostrophe: prose
            continue
        if words and words[0].rstrip(",.:") in ROOT_COMMAND.commands:
            found.append(words)
    return found


def command_of(words: list[str]) -> tuple[str, Any, list[str]]:
    """The command that words call, as far as they name one, and the rest."""
    command, at = ROOT_COMMAND, 0
    while at < len(words) and hasattr(command, "commands") and words[at].rstrip(",.:") in command.commands:
        command, at = command.commands[words[at].rstrip(",.:")], at + 1
    return " ".join(words[:at]), command, words[at:]


@pytest.mark.parametrize("page", pages())
def test_a_page_calls_only_what_is_there(page: str) -> None:
    for words in calls((ROOT / page).read_text()):
        name, command, rest = command_of(words)
        options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
        if hasattr(command, "commands"):
            assert not rest or not rest[0].isalpha() or not rest[0].islower(), f"{page}: there is no `churnwatch {name} {rest[0]}`"
        for word in rest:
            if re.match(r"--?[a-z]", word):
                assert word.partition("=")[0].rstrip(",.:") in options, f"{page}: `churnwatch {name}` has no {word}"


def test_the_page_of_commands_is_made_from_the_commands() -> None:
    assert (ROOT / "docs" / "commands.md").read_text() == commands_markdown(app)


def test_readme_leads_to_every_group_of_commands() -> None:
    named = {words[0].rstrip(",.:") for words in calls((ROOT / "README.md").read_text())}
    analyses = {name.replace("_", "-") for name in CATALOG}  # docs/analyses.md has them all, and an example of each
    assert not ROOT_COMMAND.commands.keys() - named - analyses
    assert "docs/analyses.md" in (ROOT / "README.md").read_text()
    assert "docs/commands.md" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", [*COMMANDS, *ROOT_COMMAND.commands])
def test_every_command_explains_itself(name: str) -> None:
    result = CliRunner().invoke(app, [*name.split(), "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_help_tells_each_command_once_and_whole() -> None:
    told = [name for names in SECTIONS.values() for name in names]
    analyses = {name.replace("_", "-") for name in ROOT_COMMAND.commands} & {name.replace("_", "-") for name in CATALOG}
    assert sorted(told) == sorted(ROOT_COMMAND.commands.keys() - analyses)
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "80"}).output
    assert "..." not in shown.partition("Begin:")[2]
    assert max(map(len, shown.splitlines())) <= 80
    for name, command in ROOT_COMMAND.commands.items():
        assert " ".join(re.split(rf"\n  {name} +", shown)[1].split()).startswith(first_sentence(command.help)), name
