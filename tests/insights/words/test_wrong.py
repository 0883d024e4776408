"""Every fault that an analysis, a question or a thing that people make can have is said in Chinese too, and none is said that there is not."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import insights
from insights.asked import questions
from insights.asked.crew import WORDS as OF_REASONS
from insights.words.wrong import WORDS

ROOT = Path(insights.__file__).parent
SAYING = [
    *(ROOT / "analyses").glob("*.py"),
    *(ROOT / "asked").glob("*.py"),
    ROOT / "made" / "things.py",
    ROOT / "web" / "person" / "erasing.py",
]
ELSEWHERE = {"catalog.py", "clusters.py"}
"""Their faults are those of a command: of a name that the command line does not know, and of a file of its own."""


def faults_in(path: Path) -> Iterator[ast.expr]:
    """Yield what each fault of a file says."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "UsageFault":
            yield node.args[0]


def test_every_fault_has_its_chinese() -> None:
    said = [(path.name, one) for path in SAYING if path.name not in ELSEWHERE for one in faults_in(path)]
    assert len(said) > 60
    texts = [(name, one.value) for name, one in said if isinstance(one, ast.Constant)]
    assert [(name, text) for name, text in texts if text not in WORDS] == []
    others = {(name, ast.unparse(one)) for name, one in said if not isinstance(one, ast.Constant)}
    assert others == {
        ("questions.py", "_TAKES[one.reads]"),  # below
        ("questions.py", "error"),  # what is no object at all
        ("sql.py", "_told(error)"),  # what the database says of a SELECT
        (
            "sql.py",
            "f'stopped after {seconds:g} s: ask of fewer days, or allow more with --seconds'",
        ),  # of the command; the page has a time of its own
    }
    assert {*questions._TAKES.values(), *OF_REASONS.values()} <= WORDS.keys()


def test_nothing_is_said_that_there_is_not() -> None:
    texts = {
        node.value
        for path in ROOT.rglob("*.py")
        if path.parent.name != "words"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert WORDS.keys() - texts == set()
