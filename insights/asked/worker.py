"""The process that computes: ``python -m insights.asked.worker``, in a folder for what it cannot keep in memory. It opens the history anew for each question, at its newest snapshot, and keeps nothing.

It is bound in memory by the system, so a question that is too big ends it and nothing else; whoever started it says so, and starts another.
"""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import duckdb
import msgspec

from insights.analyses.analysis import Result
from insights.analyses.as_plain import entry_of, found_of, known_of, rows_of
from insights.analyses.as_plain import frame_of as rows_frame
from insights.analyses.catalog import CATALOG, analysis_of
from insights.analyses.crowd import Crowd
from insights.analyses.plain import segments_in
from insights.analyses.segments import within
from insights.analyses.sql import ask
from insights.analyses.timeline import FEEDBACK, MOST_SAID, events_of, kinds_of
from insights.asked.messages import (
    QUESTION,
    SETUP,
    Answered,
    Ask,
    AskFile,
    AskPeople,
    AskSql,
    AskTimeline,
    Faulted,
    Hello,
    Listed,
    Question,
    Reply,
    Same,
    Setup,
    Told,
    Written,
    body_in,
    faulted,
    frame_of,
)  # fmt: skip
from insights.asked.version import followed_version, version_of
from insights.history.derived import Snapshot, digest, snapshot
from insights.history.faults import HistoryMissing
from insights.history.reader import open_log
from insights.written.files import write
from stream.faults import Refused, UsageFault

DUCKDB_SHARE = 0.5
"""Of the memory, what DuckDB may take: it writes to disk what it cannot keep, others cannot."""
SQL_SECONDS = 86_400
"""Whoever asks ends this process when its time is over."""
TOO_BIG = "it takes more memory than it may have: ask of fewer days or groups, or allow more in page.analyses_memory"


def main() -> int:
    """Answer questions from standard input until it ends."""
    said, heard = os.fdopen(os.dup(1), "wb"), sys.stdin.buffer
    os.dup2(2, 1)  # whatever a library prints is no message
    first = body_in(heard)
    if first is None:
        return 0
    setup = SETUP.decode(first)
    os.nice(setup.nice)  # before there are threads, which have it from us
    threading.Thread(target=_end_with, args=(os.getppid(), Path.cwd()), daemon=True).start()
    _bound(setup.memory_mb)
    _say(said, Hello(tuple(entry_of(one) for one in CATALOG.values())))
    while (body := body_in(heard)) is not None:
        _say(said, reply_to(QUESTION.decode(body), setup))
    return 0


def _say(said: BinaryIO, reply: Reply) -> None:
    said.write(frame_of(reply))
    said.flush()


def _end_with(parent: int, folder: Path) -> None:
    """End when whoever started us is gone, even in the middle of a question, and leave nothing in the folder we were given."""
    while os.getppid() == parent:
        time.sleep(1)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _bound(memory_mb: int) -> None:
    """Let the system refuse more memory than we may have. What libraries have set aside without using it does not count."""
    if not sys.platform.startswith("linux"):
        return  # elsewhere DuckDB's own bound has to do
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    aside = (int(status["VmData"].split()[0]) - int(status["VmRSS"].split()[0])) * 1024
    most = (memory_mb << 20) + max(0, aside)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    Path("/proc/self/oom_score_adj").write_text("900")  # if the machine has no memory left, we go before the others do


def reply_to(question: Question, setup: Setup) -> Reply:
    """Answer one question; say in words why there is no answer."""
    try:
        return _reply_to(question, setup)
    except HistoryMissing as error:
        return Faulted("no_history", str(error))
    except (UsageFault, Refused) as error:
        if isinstance(error.__context__, duckdb.OutOfMemoryException):
            return Faulted("too_big", str(error))
        return faulted(error) if isinstance(error, UsageFault) else Faulted("usage", str(error))
    except (MemoryError, duckdb.OutOfMemoryException):
        return Faulted("too_big", TOO_BIG)
    except Exception as error:  # noqa: BLE001 - one question may go wrong in any way, and the next is to be answered
        # what it says may hold values of the history, which belong in no log
        where = "".join(traceback.format_tb(error.__traceback__))
        sys.stderr.write(f"an analysis failed with {type(error).__name__}\n{where}")
        return Faulted("failed", "something of ours went wrong; the log of churnwatch web says where")


def _reply_to(question: Question, setup: Setup) -> Reply:
    if isinstance(question, AskFile):
        return Written(_file(question))
    folder = Path(setup.folder)
    # before it is opened: what is committed meanwhile makes the answer old, and never the other way round
    followed = followed_version(folder)
    crowd = _open(setup, folder)
    try:
        if isinstance(question, AskSql):
            known = known_of(crowd.as_of, crowd.left_censored())
            rows, more = ask(crowd, folder, question.text, seconds=SQL_SECONDS, most=question.most)
            return Listed(known, rows_of(rows), more)
        if isinstance(question, AskPeople):
            return _people(question, crowd)
        if isinstance(question, AskTimeline):
            return _timeline(question, crowd)
        return _analysed(question, crowd, folder, followed)
    finally:
        crowd.close()


def _open(setup: Setup, folder: Path) -> Crowd:
    log = open_log(
        folder,
        complete_from_ms=setup.complete_from_ms,
        activity=setup.activity,
        horizon_ms=setup.horizon_ms,
        releases=setup.releases,
        memory=f"{int(setup.memory_mb * DUCKDB_SHARE)}MiB",
    )
    return Crowd(log.con, log.as_of)


def _analysed(question: Ask, crowd: Crowd, folder: Path, followed: str) -> Reply:
    analysis = analysis_of(question.analysis)
    version = version_of(folder, crowd.as_of.version) + (followed if analysis.followed else "")
    at = snapshot(folder)
    if question.unless is not None and stamp_of(at, question.unless.until, followed=analysis.followed) == question.unless.stamp:
        return Same(version)
    notes = within(crowd, question.parameters, question.segments)
    result = analysis.run(crowd, msgspec.convert(question.parameters, analysis.parameters))
    until = "" if segments_in(question.parameters) else holds_until(result)  # who meets a rule may change with every event
    # a writer may have committed since the crowd was opened, and then the stamp would be of other days than the result
    is_one = at.events.version == crowd.as_of.version
    found = found_of(result)
    found = msgspec.structs.replace(
        found, parameters={**found.parameters, "segment": question.parameters.get("segment")}, notes=(*notes, *found.notes)
    )
    return Answered(found, version, stamp_of(at, until, followed=analysis.followed) if is_one else "", until if is_one else "")


def _people(question: AskPeople, crowd: Crowd) -> Reply:
    analysis = analysis_of(question.analysis)
    if analysis.behind is None:
        raise UsageFault("{analysis} has no list of people behind its cells", analysis=analysis.name)
    parameters = msgspec.convert(question.parameters, analysis.parameters)
    if question.cell.group is not None and getattr(parameters, "by", "its own") is None:
        raise UsageFault("there are groups only where people are told apart by a field")
    within(crowd, question.parameters, question.segments)
    people = analysis.behind(crowd, parameters, question.cell)
    known = known_of(crowd.as_of, crowd.left_censored())
    return Listed(known, rows_of(people.head(question.most)), people.height > question.most)


def _timeline(question: AskTimeline, crowd: Crowd) -> Reply:
    rows = events_of(crowd, question.user, question.kind, question.skip, question.most + 1)
    feedback = events_of(crowd, question.user, FEEDBACK, 0, MOST_SAID)
    known = known_of(crowd.as_of, 0)
    return Told(known, rows_of(rows.head(question.most)), rows.height > question.most, kinds_of(crowd, question.user), rows_of(feedback))


def _file(question: AskFile) -> bytes:
    file, found = Path(f"answer.{question.form}"), question.found
    write(file, found.as_of, rows_frame(analysis_of(found.analysis), found.rows), "rows", str)
    data = file.read_bytes()
    file.unlink()
    return data


def holds_until(result: Result) -> str:
    """Return the day up to which the events are that a result can depend on, as in 2026-03-01; "" if it moves with every new one.

    It stands still if it was asked up to a day, every cell is the last word, and no trait was asked for: of traits the newest counts.
    """
    asked, watermark = msgspec.to_builtins(result.parameters), result.as_of.watermark
    if not asked.get("until") or watermark is None or set(result.rows["state"]) != {"complete"} or "traits." in repr(asked):
        return ""
    return watermark.astimezone(ZoneInfo(result.as_of.zone)).date().isoformat()


def stamp_of(at: Snapshot, until: str, *, followed: bool = False) -> str:
    """Return what the days up to one are known by: it changes when an event of theirs comes or goes, and not when files are only merged.

    Parameters
    ----------
    followed : bool
        Whether what the engine said of these days counts too.
    """
    days: dict[tuple[str, str], int] = {}
    for name, table in {"events": at.events, **(at.followed if followed else {})}.items():
        for one in table.files():
            if one.partition <= until:
                days[name, one.partition] = max(one.changed, days.get((name, one.partition), 0))
    # an alias event makes days of others that lie before it
    return hashlib.sha256(repr((digest(at.rules), at.events.standing.aliased, sorted(days.items()))).encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
