"""Each page's blocks run in order in one shell, from an empty folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import Block, blocks_of
from tests.docs.shell import Shell
from tests.servers.ports import free_port

SETUP = "makes what the tests run in; CI begins with it"
UNTRIED: dict[str, str] = {
    "make setup": SETUP,
    "make demo": "plays until Ctrl-C; tests/stream/test_demo.py runs it",
}
"""Lines that no test runs as they stand, each with what guards it, or why nothing can."""


def tried(page: str) -> list[Block]:
    """The blocks of a page that run, without the lines that do not."""
    found = []
    for block in blocks_of(page):
        if block.typed or block.language == "python":
            lines = [line for line in block.text.splitlines() if line.partition("#")[0].strip() not in UNTRIED and ".venv/bin" not in line]
            found.append(block._replace(text="".join(f"{line}\n" for line in lines)))
    return found


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    made = Shell(tmp_path)
    yield made
    made.close()


@pytest.mark.timeout(900)
def test_the_growth_lead_sees_what_their_tutorial_says(shell: Shell) -> None:
    said = shell.run(tried("docs/tutorial-growth.md"), {"127.0.0.1:6080": f"127.0.0.1:{free_port()}"}, {})
    table = next(block.text for block in blocks_of("docs/tutorial-growth.md") if block.language == "text")
    for line in table.splitlines():
        assert re.search(re.escape(line), said), line
    people = (shell.folder / "shop" / "people.csv").read_text().splitlines()
    assert len(people) > 700
    assert (shell.folder / "shop" / "segments.xlsx").stat().st_size > 5_000


def test_the_chinese_tutorial_types_the_same() -> None:
    english, chinese = ([block.text for block in blocks_of(f"docs/tutorial-growth{lang}.md")] for lang in ("", ".zh"))
    assert chinese == english
