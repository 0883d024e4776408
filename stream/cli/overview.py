"""In which order does `churnwatch --help` tell of the commands? By what somebody wants to do, with all of each command's first sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SECTIONS: dict[str, tuple[str, ...]] = {
    "Begin": ("init", "demo", "simulate", "explore", "config", "topics"),
    "Run": ("run", "train", "history", "web"),
    "Files": ("ingest", "backtest"),
    "People": ("at-risk", "user", "alerts", "segment", "erase"),
    "Reports and questions": ("report", "tables", "watch", "sql"),
    "Look after it": ("model", "dlq", "state"),
}
"""Heading -> commands. What is in none of them is an analysis."""
ANALYSES = "Analyses of the history"


def write_overview(commands: Mapping[str, Any], formatter: Any) -> None:
    """Write all commands by section.

    Parameters
    ----------
    commands : mapping
        By name.
    formatter : click.HelpFormatter
    """
    told = {name for names in SECTIONS.values() for name in names}
    for heading, names in (SECTIONS | {ANALYSES: tuple(name for name in commands if name not in told)}).items():
        with formatter.section(heading):
            formatter.write_dl([(name, first_sentence(commands[name].help or "")) for name in names])


def first_sentence(text: str) -> str:
    r"""Return the first sentence of a command's help.

    >>> first_sentence("Ask the history\nin SQL. It is read only.\n\nMore.")
    'Ask the history in SQL.'
    """
    sentence, dot, _ = " ".join(text.partition("\n\n")[0].split()).partition(". ")
    return sentence + dot.strip()
