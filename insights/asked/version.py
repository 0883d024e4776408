"""Which version of the history is there, and which build asks it? Found out by names of files, without the libraries that read it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

LOG = Path("events") / "_delta_log"
FOLLOWED = ("alerts", "scores", "outcomes")
"""Tables of what the engine said; a test holds them against those that the history has."""
KEY = "churnwatch"
"""Under which a commit says how far the history is; a test holds it against what writes it."""
_ENTRY = len(".json") + 20


def version_of(folder: Path, number: int | None = None) -> str:
    """Return the name of the newest version of the events, or of version `number`; "" if there is no history.

    The entry's time is in it: a history that was made anew in the same folder has the same numbers.
    """
    log = folder / LOG
    try:
        entry = _newest(log) if number is None else f"{number:020}.json"
        return f"{int(entry[:20])}-{(log / entry).stat().st_mtime_ns}"
    except (OSError, ValueError):
        return ""


def followed_version(folder: Path) -> str:
    """Return the name of the newest versions of what the engine said (`insights.history.tables.FOLLOWED`); a table that is not there has none."""
    found = []
    for name in FOLLOWED:
        log = folder / name / "_delta_log"
        try:
            entry = _newest(log)
            found.append(f"+{name}-{int(entry[:20])}-{(log / entry).stat().st_mtime_ns}")
        except (OSError, ValueError):
            continue
    return "".join(found)


def watermark_of(folder: Path) -> int | None:
    """Return up to when the newest version of the events knows all, ms since the epoch; None before the first event, or without a history.

    Every commit of ours says so in its first entry; those of other programs are passed over.
    """
    try:
        for name in sorted(_entries(folder / LOG), reverse=True):
            said = _said(folder / LOG / name)
            if said is not None:
                mark = said["watermark_ms"]
                return None if mark is None else int(mark)
    except OSError:
        pass
    return None


def _said(entry: Path) -> dict[str, Any] | None:
    """Return what a commit says of the history, if it says anything."""
    with entry.open("rb") as lines:
        for line in lines:
            if line.startswith(b'{"commitInfo"'):
                found: dict[str, Any] | None = msgspec.json.decode(line)["commitInfo"].get(KEY)
                return found
    return None


def _newest(log: Path) -> str:
    """Return the name of the newest entry, by names only: a writer makes thousands a day, each of 20 digits."""
    return max(_entries(log))


def _entries(log: Path) -> Iterator[str]:
    with os.scandir(log) as found:
        yield from (one.name for one in found if len(one.name) == _ENTRY and one.name.endswith(".json"))


@cache
def code() -> str:
    """Return what tells builds apart whose analyses may say something else."""
    root = Path(__file__).parents[1]
    files = sorted([*(root / "analyses").rglob("*.py"), *(root / "history").glob("*.py")])
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
