"""What erasing costs: wall and CPU seconds of taking users out of a history, whichever its size.

``python -m benchmarks.erasing [EVENTS] [--users N] [--dir FOLDER]`` makes a history as `benchmarks.insights` does, or takes one that is there, and erases one user of middling activity,
then 100 together, each with the derived tables and the deletion of the files that held them.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.insights import fill
from insights.history.derived import derive_all
from insights.history.erasing import delete, erase_all, rows_of
from insights.history.erasures import ERASE, Erasures
from insights.history.reader import open_log

TOGETHER = 100


def main() -> None:
    """Make or take a history, erase, and print a line for each."""
    options = argparse.ArgumentParser()
    options.add_argument("events", type=int, nargs="?", default=5_000_000)
    options.add_argument("--users", type=int, default=0)
    options.add_argument("--dir", type=Path)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        history = asked.dir or Path(folder) / "history"
        if not history.exists():
            fill(history, asked.events, asked.users or asked.events // 250)
        derive_all(history)
        log = open_log(history)
        events, users = log.con.execute("select sum(events), count(*) from users").fetchall()[0]
        by_activity = [user for (user,) in log.con.execute('select "user" from users order by events, "user"').fetchall()]
        log.con.close()
        middle = len(by_activity) // 2
        print(f"{events:,} events of {users:,} users")
        _timed(history, by_activity[middle : middle + 1])
        _timed(history, by_activity[middle + 1 : middle + 1 + TOGETHER])


def _timed(history: Path, users: list[str]) -> None:
    held = rows_of(history, users)["events"]
    at = datetime.now(UTC)
    wall_s, cpu_s = time.perf_counter(), _cpu_s()
    Erasures.make(history).register([(user, ERASE, at, at, -1, 0) for user in users])
    removed = erase_all(history)
    delete(removed.left, 0)
    wall_s, cpu_s = time.perf_counter() - wall_s, _cpu_s() - cpu_s
    left = sum(rows_of(history, users).values())
    print(f"{len(users)} users, {held:,} events in {removed.files} files, {left} left: {wall_s:.1f} s, {cpu_s:.1f} s CPU", flush=True)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
