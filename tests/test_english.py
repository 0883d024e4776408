"""What the project says, it says in plain English: a user is `they`."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HE = re.compile(r"(?<![-\w])(?:he|his|him|himself|she|her|hers|herself)\b", re.IGNORECASE)
ALLOWED = {"He et al. 2015": "an author's name"}
"""What stands for nobody, and why."""
KINDS = {".py", ".md", ".toml", ".html", ".json", ".yml", ".lua", ".cfg", ".txt", ""}
UNREAD = {"CHANGELOG.md": "history stays as it was written", "docs/handover.md": "history stays as it was written", "LICENSE": "not ours"}


def texts() -> list[str]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.splitlines() if Path(name).suffix in KINDS and name not in UNREAD and (ROOT / name).is_file()]


def he_in(text: str) -> list[str]:
    """Lines in which somebody is he or she.

    >>> he_in("the owner has its token\\nthe user and his token")
    ['the user and his token']
    """
    for allowed in ALLOWED:
        text = text.replace(allowed, "")
    return [line for line in text.splitlines() if HE.search(line)]


@pytest.mark.parametrize("name", [one for one in texts() if one != "tests/test_english.py"])
def test_nobody_is_he_or_she(name: str) -> None:
    try:
        text = (ROOT / name).read_text()
    except UnicodeDecodeError:
        return  # no text
    assert not he_in(text)
