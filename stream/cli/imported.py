"""Files put into a history, for every command that does."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stream.cli.judged_files import bar, in_order, opened_files, spill_folder
from stream.screen import Screen

if TYPE_CHECKING:
    from features.files.options import ReadOptions
    from features.files.reader import EventFile
    from insights.history.events import Rules

REFUSAL = "nothing was imported"


def import_into(
    history: Path,
    rules: Rules,
    names: list[str],
    options: ReadOptions,
    screen: Screen,
    *,
    skip_bad: int = 0,
    spill: Path | None = None,
    derive: bool = True,
) -> None:
    """Put files into a history, derive what is derived, and say how it went.

    Parameters
    ----------
    history : Path
        Its folder; made if it is not there.
    names : list of str
        Files, folders, patterns, or - for standard input.
    skip_bad : int
        So many unusable rows are passed over.
    spill : Path, optional
        Folder for what does not fit into memory.
    derive : bool
        Whether the derived tables are made; not where the rules they follow are still to be found.

    Raises
    ------
    UsageFault
        If a file cannot be read, or too many rows are unusable: nothing was imported then.
    """
    from insights.history.derived import derive_all
    from insights.history.events import Events
    from insights.history.importing import done, import_files, source_of

    began = time.monotonic()
    found = opened_files(names, options)
    with spill_folder(spill, REFUSAL) as folder:
        on_disk = [_on_disk(file, folder, number) for number, file in enumerate(found)]
        events = Events(history, rules)
        known = [(file, source_of(file.path, options)) for file in on_disk]
        different = {source.name: (file, source) for file, source in known if not done(events, source)}
        for _ in range(len(known) - len(different)):
            screen.line("a file of the same content is in the history already")
        if different:
            new = [file for file, _ in different.values()]
            (spill_in := folder / "order").mkdir()
            order = in_order(new, spill_in, screen, skip_bad=skip_bad, refusal=REFUSAL)
            sources = [replace(source, rows=file.summary.usable) for file, source in different.values()]
            with bar("importing", sum(source.rows for source in sources)) as told:
                imported = import_files(events, order, sources, told)
            if derive:
                derive_all(history)
            seconds = time.monotonic() - began
            screen.line(f"{imported.rows:,} events imported in {seconds:.1f} s ({imported.rows / max(seconds, 1e-9):,.0f} a second)")
            if imported.known:
                screen.line(f"{imported.known:,} events were there from an earlier import of the same files")
            if imported.repeats:
                screen.line(f"{imported.repeats:,} events were repeats of others, which count once a day")


def _on_disk(file: EventFile, folder: Path, number: int) -> EventFile:
    """Return a file that can be read twice: standard input and pipes are copied first."""
    from features.files.reader import STDIN, EventFile

    is_stdin = str(file.path) == STDIN
    if not is_stdin and not file.path.is_fifo():
        return file
    copy = folder / f"{number}"
    with copy.open("wb") as out:
        if is_stdin and file.stdin is not None:
            shutil.copyfileobj(file.stdin, out)
        else:
            with file.path.open("rb") as pipe:
                shutil.copyfileobj(pipe, out)
    return EventFile(copy, file.options, file.summary)
