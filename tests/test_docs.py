"""Every path and every room that README and docs name is there, and every page has its place in the site."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("CONTRIBUTING.md"))]
PATH = re.compile(r"(?<!\*)`((?:features|online_models|stream|tests|benchmarks|docs|deploy|insights)/[\w./-]*)`")
LINK = re.compile(r"\]\(([\w./-]+)(?:#[\w-]+)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_a_page_names_is_there(page: Path) -> None:
    text = page.read_text()
    assert not [path for path in PATH.findall(text) if not (ROOT / path).exists()]
    assert not [link for link in LINK.findall(text) if not (page.parent / link).exists()]


def change_table() -> list[tuple[str, list[str]]]:
    text = (ROOT / "docs" / "architecture.md").read_text()
    section = text.split("## Where a change goes")[1].split("\n## ")[0]
    rows = [line.split("|")[1:3] for line in section.splitlines() if line.startswith("| ")][1:]
    return [(change.strip(), re.findall(r"`([^`]+\.[a-z]+|[^`]+/)`", files)) for change, files in rows]


def test_ten_changes_are_listed_and_each_names_files() -> None:
    table = change_table()
    assert len(table) == 10
    assert all(files for _, files in table)


def test_every_room_of_the_architecture_is_a_folder_or_file() -> None:
    section = (ROOT / "docs" / "architecture.md").read_text().split("## The rooms")[1].split("\n## ")[0]
    rooms = re.findall(r"`((?:features|online_models|stream|insights)[\w/.]*)`", section)
    assert len(rooms) > 12
    assert not [room for room in rooms if not (ROOT / room).exists()]
    folders = {
        str(folder.parent.relative_to(ROOT))
        for package in ("features", "stream", "insights")
        for folder in (ROOT / package).rglob("__init__.py")
    }
    assert {folder for folder in folders if "/" in folder} <= set(rooms), "a room without a row"


def nav() -> dict[str, tuple[str, ...]]:
    """The table of docs/site/nav.py, which belongs to no package."""
    (table,) = (node.value for node in ast.parse((ROOT / "docs" / "site" / "nav.py").read_text()).body if isinstance(node, ast.AnnAssign))
    assert table is not None
    found: dict[str, tuple[str, ...]] = ast.literal_eval(table)
    return found


def test_the_navigation_names_every_page_once() -> None:
    tracked = subprocess.run(["git", "ls-files", "*.md", "docs/site/*.rst"], cwd=ROOT, capture_output=True, text=True, check=True)
    pages = {name.rpartition(".")[0] for name in tracked.stdout.splitlines()}
    named = [page for of_one in nav().values() for page in of_one]
    assert len(named) == len(set(named))
    left_out = pages - set(named) - {page for page in pages if re.match(r"docs/decisions/\d", page)} - {"README"}
    assert not left_out, "give it a place in docs/site/nav.py"
    assert set(named) <= pages
