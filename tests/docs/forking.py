"""A `churnwatch` that starts in no time: `python -m tests.docs.forking SOCKET` has imported everything, and forks a process for each call of `asking.py`.

A fresh process takes two seconds of a core to import what an analysis needs, and the pages call a hundred of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys


def run(message: bytes, files: list[int]) -> None:
    """Be the command: its words, folder, environment and standard files are the caller's."""
    words, folder, environment = json.loads(message)
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["churnwatch", *words]
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    from stream.cli import main

    main()


def watch(asked: socket.socket, message: bytes, files: list[int]) -> None:
    """Run one command; pass on the caller's signals, tell them its exit code, and kill it if they are gone, as if they had been it."""
    pid = os.fork()
    if not pid:
        asked.close()
        run(message, files)
        sys.exit(0)
    for file in files:
        os.close(file)
    done = os.pidfd_open(pid)
    while done not in select.select([asked, done], [], [])[0]:
        heard = asked.recv(1)
        os.kill(pid, heard[0] if heard else signal.SIGKILL)
        if not heard:
            break
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(BrokenPipeError):  # nobody is there to hear it
        asked.send(bytes([code if code >= 0 else 128 - code]))


def main(path: str) -> None:
    """Answer until SIGTERM."""
    import duckdb
    import polars as pl

    import insights.analyses.catalog
    import insights.history.reader
    import tests.servers.preloaded

    assert all((duckdb, pl, insights.analyses.catalog, insights.history.reader, tests.servers.preloaded))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen()
    print("listening", flush=True)
    while True:
        asked, _ = listening.accept()
        if not os.fork():
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listening.close()
            message, files, _, _ = socket.recv_fds(asked, 1 << 20, 3)
            watch(asked, message, files)
            sys.exit(0)
        asked.close()


if __name__ == "__main__":
    main(sys.argv[1])
