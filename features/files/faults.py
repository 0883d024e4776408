"""Why a row of a file is not usable: the reasons of an event, and those that only a file can have.

Errors::

    FileRefused    the whole file cannot be read as events; the message says what to do
"""

from __future__ import annotations

from features.events.event import WORDS, Reason

FILE_REASONS = {
    "ragged": "more or fewer fields than the header",
    "open_quote": "a quotation mark is never closed",
    "damaged": "the file is cut off or damaged here",
    "ts_unit": "the numbers are in another unit",
    "ts_ambiguous": "day and month cannot be told apart",
    "ts_outlier": "the time is far from that of all other rows",
}
"""Reasons that only a row of a file can have, and their meanings; those of every event are in `features.events.event`."""


_IN_A_FILE = {
    ("wrong_type", "ts"): "no time that can be read",
    ("wrong_type", "value"): "no number such as 1234.50",
    ("wrong_type", "props"): "no JSON object",
    ("wrong_type", ""): "the row is no JSON object",
    ("missing_field", "ts"): "there is no time",
    ("missing_field", "type"): "there is no type",
    ("future", "ts"): "the time is ahead of now",
    ("not_utf8", ""): "the row is not UTF-8",
    ("not_json", ""): "the row is not JSON",
    ("too_deep", ""): "the row is nested more than 64 deep",
}
"""Reasons of a live event that a file says more plainly, by reason and field."""


def words_of(reason: str, field: str = "") -> str:
    """Return what a reason means, for people.

    >>> words_of("user_empty"), words_of("wrong_type", "ts")
    ('user is empty', 'no time that can be read')
    """
    if (reason, field) in _IN_A_FILE:
        return _IN_A_FILE[reason, field]
    if reason in FILE_REASONS:
        return FILE_REASONS[reason]
    return WORDS[Reason[reason]]


class FileRefused(ValueError):
    """The file cannot be read as events.

    Attributes
    ----------
    reason : str
        The reason in one word, for programs.
    """

    def __init__(self, message: str, reason: str = "refused") -> None:
        super().__init__(message)
        self.reason = reason


def reasons_markdown() -> str:
    """Return `FILE_REASONS` as a table for docs/files.md."""
    return "\n".join(["| reason | meaning |", "|---|---|", *(f"| `{name}` | {words} |" for name, words in FILE_REASONS.items())])
