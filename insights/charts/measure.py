"""How wide is a text? About: a server has no browser to ask, and need only leave enough room.

Widths are those of Inter, a little rounded up, in shares of the font's size. Chinese, Japanese and Korean signs, and emoji, are square.
"""

from __future__ import annotations

import re
from unicodedata import combining, east_asian_width

from stream.shown import visible

_CLASSES = {"ijlI.,:;'|!": 0.29, "frt()[]{}/\\-` ": 0.38, "JTLFEscvxyzk": 0.58, "mwMW%@—…": 0.93}
_WIDTHS = {character: width for characters, width in _CLASSES.items() for character in characters}
_CAPITAL, _DIGIT, _SMALL, _SQUARE = 0.72, 0.65, 0.61, 1.0
MORE = "…"
_NOT_FIRST = frozenset("，。；：、！？）」』”％%")  # noqa: RUF001 - Chinese has a punctuation of its own
_PIECE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]|\s+|[^\s\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+")


def width(text: str, size: float = 12) -> float:
    """Return about how wide a text is, as it is shown, at a size of the font, in the size's unit.

    >>> width("留存", 12)
    24.0
    >>> 30 < width("Nov 27", 11) < 45
    True
    """
    return size * sum(map(_width, visible(text)))


def _width(character: str) -> float:
    known = _WIDTHS.get(character)
    if known is not None:
        return known
    if east_asian_width(character) in "WF":
        return _SQUARE
    if combining(character):
        return 0.0
    return _DIGIT if character.isdigit() else _CAPITAL if character.isupper() or not character.isascii() else _SMALL


def shortened(text: str, room: float, size: float = 12) -> str:
    """Return a text, as it is shown, that fits into the room: cut and with an ellipsis where it must be; at least one character stays.

    >>> shortened("Search ads", 200), shortened("Search ads", 40)
    ('Search ads', 'Sear…')
    """
    text = visible(text)
    if width(text, size) <= room:
        return text
    left = room - width(MORE, size)
    kept = 0
    for character in text:
        left -= size * _width(character)
        if left < 0:
            break
        kept += 1
    return text[: max(kept, 1)].rstrip() + MORE


def wrapped(text: str, room: float, size: float = 12, weight: float = 1.0) -> list[str]:
    """Return a text, as it is shown, in lines that fit into the room: English breaks between words, Chinese between signs, never before a full stop.

    Parameters
    ----------
    weight : float
        How much wider the letters are than usual ones: 1.06 for strong ones.

    >>> wrapped("3 fewer at risk than a week ago", 90), wrapped("比一周前少 3 人。", 60)
    (['3 fewer at', 'risk than a', 'week ago'], ['比一周前少', '3 人。'])
    """
    lines, line = [], ""
    for piece in _PIECE.findall(visible(text)):
        if line and piece not in _NOT_FIRST and width((line + piece).rstrip(), size) * weight > room:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()] if line.strip() else lines
