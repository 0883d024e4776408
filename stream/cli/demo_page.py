"""`python -m stream.cli.demo_page FILE`: the page of `churnwatch demo`, in a process of its own.

It is `churnwatch web`, but for how it asks Kafka: the demo's broker in memory does not say who takes clicks, and its checksums do not hold in transactions.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from insights.live.letters import Tally
from insights.web.program import Kafka, main
from stream.cli import context
from stream.demo.embedded import EmbeddedLooker
from stream.demo.servers import settings_in


class NoLetters:
    """The made-up product sends nothing that must be rejected."""

    def __init__(self) -> None:
        self.tally = Tally()

    def read(self) -> None:
        """See `insights.live.clicks.Reads`."""

    def close(self) -> None:
        """See `insights.live.clicks.Reads`."""


def end_with_the_demo() -> None:
    """Ask this process to end once nobody holds the other end of its standard input: the demo is gone, however it ended."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    context.log_to_stderr()
    threading.Thread(target=end_with_the_demo, daemon=True).start()
    settings = settings_in(Path(sys.argv[1]))
    sys.exit(main(settings, Kafka(EmbeddedLooker(settings), NoLetters(), check_crcs=False)))
