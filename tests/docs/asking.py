"""What `churnwatch` is in the shell of a page: asks `forking.py` to run it. Imports next to nothing, since it is started for each call."""

import json
import os
import signal
import socket
import sys


def main() -> int:
    """Hand over words, folder, environment and standard files, pass on signals, and return the exit code."""
    server = socket.socket(socket.AF_UNIX)
    server.connect(os.environ["CHURNWATCH_FORKED_AT"])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda heard, _: server.send(bytes([heard])))
    here = os.getcwd()  # noqa: PTH109 - to import pathlib takes longer than all the rest
    socket.send_fds(server, [json.dumps([sys.argv[1:], here, dict(os.environ)]).encode()], [0, 1, 2])
    answer = server.recv(1)
    return answer[0] if answer else 70


if __name__ == "__main__":
    sys.exit(main())
