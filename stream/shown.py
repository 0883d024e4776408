r"""Foreign text made harmless: for a terminal, a spreadsheet, a log line, and JSON that is printed.

Ids, event types, channels and whole payloads are written by strangers, and whoever looks at them sits at a terminal or opens a
spreadsheet. An id must neither clear the screen, nor turn a line around, nor run as a formula, nor begin a second line of a log.
What is dangerous is not removed, since two ids would then look alike, but spelled out::

    visible("a\x1b[2J")     a\x1b[2J     for a terminal and a log (`stream.screen` calls it on all it prints)
    csv_line(["=1+1"])      '=1+1        for a spreadsheet
    json_text(b'"\x9b"')    "\u009b"     for JSON on a terminal: other bytes, the same value
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of characters that act instead of being seen: control, direction and width, lone surrogates, private and unassigned ones,
separators of lines and paragraphs."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets take the wide forms for the narrow ones
_QUOTED = frozenset('",;\t\r\n')
"""Characters that split a cell in one spreadsheet or another; some read a comma-separated file by semicolons."""


class Styled(NamedTuple):
    """A part of a line with one of rich's styles, such as "bold red"; any other part is plain text."""

    text: str
    style: str


Part = str | Styled


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN


def _spelled(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: str) -> str:
    r"""Return text as it may stand in one line of a terminal: what cannot be seen is spelled as Python spells it.

    >>> visible("ann"), visible("a\x1b[2Jb"), visible("a\u202eb"), visible("李雷 🙂")
    ('ann', 'a\\x1b[2Jb', 'a\\u202eb', '李雷 🙂')
    """
    if text.isprintable():  # true for nearly every id, and a tenth of the cost
        return text
    return "".join(_spelled(one) if _is_hidden(one) else one for one in text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and text.strip() == text and "_" not in text and any(map(str.isdigit, text))


def plain(parts: Iterable[Part]) -> str:
    """Return parts as one visible line without styles."""
    return "".join(visible(part.text if isinstance(part, Styled) else part) for part in parts)


def csv_cell(value: object) -> str:
    """Return one cell that no spreadsheet runs as a formula; None is empty.

    A text that begins like a formula is put behind an apostrophe, as OWASP advises ("CSV injection"); a number stays a number.

    >>> csv_cell("=1+1"), csv_cell("-3.5"), csv_cell(-3.5), csv_cell("-ann"), csv_cell("a;b"), csv_cell(None)
    ("'=1+1", '-3.5', '-3.5', "'-ann", '"a;b"', '')
    """
    text = "" if value is None else value if isinstance(value, str) else str(value)
    if text.startswith(_FORMULA) and not _is_number(text):
        text = "'" + text
    text = visible(text)
    return '"' + text.replace('"', '""') + '"' if _QUOTED & set(text) or text != text.strip() else text


def csv_line(cells: Iterable[object]) -> str:
    """Return one line of a CSV file, without its end.

    >>> csv_line(["ann", 0.5, "a;b"])
    'ann,0.5,"a;b"'
    """
    return ",".join(map(csv_cell, cells))


def json_text(value: bytes, indent: int = -1) -> str:
    r"""Return JSON as it may stand in a terminal: the same value, in one line unless an indent is given.

    JSON itself escapes only control characters below U+0020. The other characters that act can stand only inside its strings, where an escape means the same.

    Raises
    ------
    msgspec.DecodeError
        If the bytes are no JSON.

    >>> print(json_text('{"user":\n"a\u202eb"}'.encode()))
    {"user":"a\u202eb"}
    """
    msgspec.json.decode(value)
    text = msgspec.json.format(value, indent=indent).decode()
    lines = text.split("\n")  # made by the indent alone: in a string a newline is escaped already
    return "\n".join("".join(_json_escape(one) if _is_hidden(one) else one for one in line) for line in lines)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))


def json_line(value: Any) -> str:
    """Return an object as one line of JSON for a terminal.

    >>> json_line({"user": "ann"})
    '{"user":"ann"}'
    """
    return json_text(msgspec.json.encode(value))
