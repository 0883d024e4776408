"""Which blocks of a page are meant to be typed?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TYPED = re.compile(r"(?:\w+=\S+ )*(?:churnwatch|make|export|cd|curl|python|docker|kill|kafka-[\w-]+\.sh|git|promtool|redis-cli)\b")


class Block(NamedTuple):
    """A fenced block of a page.

    Attributes
    ----------
    line : int
        Of its first line in the page, from 1.
    """

    page: str
    line: int
    language: str
    text: str

    @property
    def name(self) -> str:
        """Of the file that a program is to be kept in, which its first line says as a comment; else nothing."""
        found = re.match(r"# ([\w/]+\.(?:py|sql|toml|yml))\b", self.text)
        return found[1] if found else ""

    @property
    def typed(self) -> bool:
        """Whether it holds commands."""
        return self.language in {"", "sh"} and any(TYPED.match(line) for line in self.text.splitlines())


def blocks_of(page: str) -> list[Block]:
    """Return all fenced blocks of a page, named by its path from the root, in order.

    >>> [block.typed for block in blocks_of("SECURITY.md")]
    [True]
    """
    text = (ROOT / page).read_text()
    return [Block(page, text[: found.start(2)].count("\n") + 1, found[1], found[2]) for found in FENCED.finditer(text)]
