"""Files as `ingest` and `history import` take them in: opened, judged as a whole, told, put in order of time."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stream.faults import UsageFault
from stream.screen import Screen

if TYPE_CHECKING:
    from features.files.options import ReadOptions
    from features.files.order import Order
    from features.files.reader import EventFile

MOST_SHOWN = 10
"""Files that are reported one by one when all is well."""


def opened_files(names: list[str], options: ReadOptions) -> list[EventFile]:
    """Return the files that are named, none of them read yet.

    Raises
    ------
    UsageFault
        If one is not there.
    """
    from features.files.faults import FileRefused
    from features.files.reader import EventFile, files_of
    from features.files.summary import Summary

    try:
        return [EventFile(path, options, Summary(str(path)), sys.stdin.buffer) for path in files_of(names)]
    except FileRefused as error:
        raise UsageFault(str(error)) from None


@contextmanager
def spill_folder(spill: Path | None, refusal: str) -> Iterator[Path]:
    """Yield a folder of one's own for what does not fit into memory; it goes away in the end.

    Raises
    ------
    UsageFault
        If none can be made.
    """
    try:
        made = tempfile.TemporaryDirectory(prefix="churnwatch-", dir=spill)
    except OSError as error:
        raise UsageFault(
            f"{refusal}: no folder can be made in {spill or tempfile.gettempdir()}: {error.strerror}. Say --spill with another"
        ) from error
    with made as folder:
        yield Path(folder)


def in_order(files: list[EventFile], folder: Path, screen: Screen, *, skip_bad: int, refusal: str) -> Order:
    """Judge every file, say what each holds, and return the usable rows of all of them in order of time.

    Parameters
    ----------
    refusal : str
        What a refusal begins with, such as "nothing was sent".

    Raises
    ------
    UsageFault
        If a file cannot be read, too many rows are unusable, or the folder has no room.
    """
    from features.files.faults import FileRefused
    from features.files.order import Order
    from features.files.whole import judged, refuse_unusable, refuse_without_room, size_of
    from stream.cli.file_report import tell

    order = Order(folder)
    try:
        refuse_without_room(files, order)
        with bar("judging", sum(size_of(file.path) for file in files)) as told:
            judged(files, order, told)
        for file in files if len(files) <= MOST_SHOWN else [file for file in files if not file.summary.sound]:
            tell(file.summary, screen)
        refuse_unusable(files, skip_bad)
    except FileRefused as error:
        raise UsageFault(f"{refusal}: {error}") from None
    return order


@contextmanager
def bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """In a window, a bar that goes away in the end; yield what to tell how much is done."""
    from rich.progress import TaskProgressColumn, TimeRemainingColumn

    aside = Screen(error=True)
    if not aside.console.is_terminal:
        yield lambda _: None
        return
    with aside.progress(TaskProgressColumn(), TimeRemainingColumn(), transient=True) as progress:
        task = progress.add_task(title, total=total or None)
        yield lambda done: progress.update(task, completed=done)
