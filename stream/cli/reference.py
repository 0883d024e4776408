"""Every command with its options, as docs/commands.md shows them: `python -m stream.cli.reference > docs/commands.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import typer

HEAD = "# Commands\n\nMade from the commands themselves: `python -m stream.cli.reference > docs/commands.md`. `churnwatch COMMAND --help` says the same.\n"


def commands_of(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield the name of every command and the command, through all groups."""
    if hasattr(group, "load"):
        group.load()
    for name, command in group.commands.items():
        if getattr(command, "invoke_without_command", False):
            yield " ".join((*path, name)), command
        if hasattr(command, "commands"):
            yield from commands_of(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def commands_markdown(app: typer.Typer) -> str:
    """Return the page."""
    parts = [HEAD]
    for name, command in commands_of(typer.main.get_command(app)):
        arguments = " ".join((one.metavar or one.name.upper()) for one in command.params if one.param_type_name == "argument")
        parts.append(f"## `churnwatch {name}{' ' + arguments if arguments else ''}`\n\n{command.help}\n")
        rows = [f"| `{', '.join((*one.opts, *one.secondary_opts))}` | {_told(one)} |" for one in command.params if one.help]
        if rows:
            parts.append("\n".join(["| | |", "|---|---|", *rows]) + "\n")
    return "\n".join(parts)


def _told(parameter: Any) -> str:
    default = parameter.default
    shown = (
        ""
        if default in {None, "", False} or callable(default) or parameter.required
        else f" (default {getattr(default, 'value', default)})"
    )
    return str(parameter.help).replace("|", "\\|") + shown


if __name__ == "__main__":
    from stream.cli import app

    sys.stdout.write(commands_markdown(app))
